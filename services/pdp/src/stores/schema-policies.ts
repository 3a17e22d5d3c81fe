import {
  bigint,
  boolean,
  customType,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";

/* Versions of policies, which are in force, and which are tried, as the migrations make them: see `schema.ts`. */

const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });
const int8 = (name: string) => bigint(name, { mode: "bigint" });
const instant = (name: string) => timestamp(name, { withTimezone: true });

export const policyVersion = pgTable(
  "policy_version",
  {
    tenant: text("tenant").notNull(),
    policy: text("policy").notNull(),
    version: integer("version").notNull(),
    digest: bytes("digest").notNull(),
    document: jsonb("document").notNull(),
    source: text("source").notNull(),
    language: text("language"),
    rules: integer("rules").notNull(),
    publishedAt: instant("published_at").notNull().defaultNow(),
    publishedBy: uuid("published_by"),
    draft: boolean("draft").notNull().default(false),
    validatedAt: instant("validated_at"),
    validatedBy: uuid("validated_by"),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.policy, t.version] })],
);

export const activePolicy = pgTable(
  "active_policy",
  {
    tenant: text("tenant").notNull(),
    policy: text("policy").notNull(),
    version: integer("version").notNull(),
    revision: int8("revision").notNull(),
    activatedAt: instant("activated_at").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.policy] })],
);

export const policyActivation = pgTable("policy_activation", {
  id: int8("id").primaryKey().generatedAlwaysAsIdentity(),
  tenant: text("tenant").notNull(),
  policy: text("policy").notNull(),
  version: integer("version").notNull(),
  since: instant("since"),
  until: instant("until"),
  cause: text("cause", { enum: ["activated", "rolled_back", "promoted"] }).notNull(),
  madeBy: uuid("made_by"),
  endedBy: uuid("ended_by"),
  revision: int8("revision").notNull(),
});

export const policyRollout = pgTable("policy_rollout", {
  id: uuid("id").primaryKey(),
  tenant: text("tenant").notNull(),
  share: integer("share").notNull(),
  startedAt: instant("started_at").notNull().defaultNow(),
  startedBy: uuid("started_by").notNull(),
  shareSetAt: instant("share_set_at").notNull().defaultNow(),
  endedAt: instant("ended_at"),
  endedBy: uuid("ended_by"),
  endedAs: text("ended_as", { enum: ["promoted", "aborted", "overtaken"] }),
  revision: int8("revision").notNull(),
});

export const policyRolloutVersion = pgTable(
  "policy_rollout_version",
  {
    tenant: text("tenant").notNull(),
    rollout: uuid("rollout").notNull(),
    policy: text("policy").notNull(),
    version: integer("version").notNull(),
    base: integer("base"),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.rollout, t.policy] })],
);
