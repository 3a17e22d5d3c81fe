import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  date,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";

/*
 * The tables as the migrations make them, for typed queries. The migrations are the truth: partitions, grants, checks
 * and functions stand there alone, and a test compares the two column by column.
 */

const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });
const transactionId = customType<{ data: string; driverData: string }>({ dataType: () => "xid8" });
const int8 = (name: string) => bigint(name, { mode: "bigint" });
const instant = (name: string) => timestamp(name, { withTimezone: true });

export const schemaMigration = pgTable("schema_migration", {
  number: integer("number").primaryKey(),
  name: text("name").notNull(),
  sha256: text("sha256").notNull(),
  oldestBuild: integer("oldest_build").notNull(),
  appliedAt: instant("applied_at").notNull().defaultNow(),
});

export const cell = pgTable("cell", {
  one: boolean("one").primaryKey().default(true),
  systemIdentifier: int8("system_identifier").notNull(),
  timeline: integer("timeline").notNull(),
  storedAt: instant("stored_at").notNull().defaultNow(),
  sealing: boolean("sealing").notNull().default(false),
  keysRevision: int8("keys_revision").notNull().default(sql`0`),
  engine: text("engine"),
});

export const tenant = pgTable("tenant", {
  id: text("id").primaryKey(),
  status: text("status", { enum: ["active", "suspended", "closing"] })
    .notNull()
    .default("active"),
  createdAt: instant("created_at").notNull().defaultNow(),
  mode: text("mode", { enum: ["enforce", "observe"] })
    .notNull()
    .default("enforce"),
  observeAgents: jsonb("observe_agents").notNull().default([]),
  quotas: jsonb("quotas").notNull().default({}),
  people: integer("people").notNull().default(1),
  workloadPrefixes: text("workload_prefixes").array().notNull().default([]),
  unbudgeted: text("unbudgeted", { enum: ["deny", "allow"] })
    .notNull()
    .default("deny"),
  breakers: text("breakers", { enum: ["enforce", "observe", "off"] })
    .notNull()
    .default("observe"),
});

export const revision = pgTable("revision", {
  tenant: text("tenant").primaryKey(),
  security: int8("security").notNull().default(sql`0`),
  policy: int8("policy").notNull().default(sql`0`),
});

export const caller = pgTable("caller", {
  id: uuid("id").primaryKey(),
  tenant: text("tenant").notNull(),
  name: text("name").notNull(),
  keyHash: bytes("key_hash"),
  roles: text("roles").array().notNull().default(sql`'{}'`),
  agents: text("agents").array().notNull().default(sql`'{}'`),
  mayAssertPrincipals: boolean("may_assert_principals").notNull().default(false),
  revoked: boolean("revoked").notNull().default(false),
  createdAt: instant("created_at").notNull().defaultNow(),
  revision: int8("revision").notNull(),
  kind: text("kind", { enum: ["key", "jwt", "spiffe", "person"] })
    .notNull()
    .default("key"),
  issuer: text("issuer"),
  subject: text("subject"),
  changed: transactionId("changed"),
  displayName: text("display_name"),
  email: text("email"),
  createdBy: uuid("created_by"),
});

export const issuer = pgTable(
  "issuer",
  {
    tenant: text("tenant").notNull(),
    name: text("name").notNull(),
    profile: text("profile", { enum: ["oidc", "kubernetes", "spiffe"] }).notNull(),
    use: text("use", { enum: ["workloads", "principals", "people"] }).notNull(),
    issuer: text("issuer").notNull(),
    jwksUri: text("jwks_uri"),
    jwks: jsonb("jwks"),
    algorithms: text("algorithms").array().notNull(),
    claims: jsonb("claims").notNull().default({}),
    tokenSecondsMax: integer("token_seconds_max").notNull(),
    sessionSecondsMax: integer("session_seconds_max").notNull(),
    principalPrefix: text("principal_prefix").notNull().default(""),
    revision: int8("revision").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.name] })],
);

export const issuerAudience = pgTable(
  "issuer_audience",
  {
    issuer: text("issuer").notNull(),
    audience: text("audience").notNull(),
    tenant: text("tenant").notNull(),
    name: text("name").notNull(),
  },
  (t) => [primaryKey({ columns: [t.issuer, t.audience] })],
);

export const binding = pgTable(
  "binding",
  {
    tenant: text("tenant").notNull(),
    name: text("name").notNull(),
    issuer: text("issuer").notNull(),
    subject: text("subject"),
    callerGroup: text("caller_group"),
    agents: text("agents").array().notNull().default(sql`'{}'`),
    mayAssertPrincipals: boolean("may_assert_principals").notNull().default(false),
    roles: text("roles").array().notNull().default(sql`'{}'`),
    revision: int8("revision").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.name] })],
);

export const change = pgTable("change", {
  id: uuid("id").primaryKey(),
  tenant: text("tenant").notNull(),
  request: text("request").notNull(),
  digest: bytes("digest").notNull(),
  proposedBy: uuid("proposed_by").notNull(),
  proposedAt: instant("proposed_at").notNull().defaultNow(),
  expiresAt: instant("expires_at").notNull(),
  state: text("state", { enum: ["proposed", "applied", "rejected", "withdrawn", "expired", "refused"] })
    .notNull()
    .default("proposed"),
  endedAt: instant("ended_at"),
  endedBy: uuid("ended_by"),
  endedWhy: text("ended_why").notNull().default(""),
  appliedIn: transactionId("applied_in"),
  entry: uuid("entry").notNull(),
  endedEntry: uuid("ended_entry"),
  proven: jsonb("proven"),
});

export const changeApproval = pgTable(
  "change_approval",
  {
    tenant: text("tenant").notNull(),
    change: uuid("change").notNull(),
    approver: uuid("approver").notNull(),
    digest: bytes("digest").notNull(),
    approvedAt: instant("approved_at").notNull().defaultNow(),
    entry: uuid("entry").notNull(),
    proven: jsonb("proven"),
  },
  (table) => [primaryKey({ columns: [table.change, table.approver] })],
);

const documentColumns = () => ({
  tenant: text("tenant").notNull(),
  name: text("name").notNull(),
  document: jsonb("document").notNull(),
  source: text("source").notNull(),
  digest: bytes("digest").notNull(),
  revision: int8("revision").notNull(),
});

export const agent = pgTable("agent", documentColumns(), (t) => [primaryKey({ columns: [t.tenant, t.name] })]);
export const tool = pgTable("tool", documentColumns(), (t) => [primaryKey({ columns: [t.tenant, t.name] })]);

export const budget = pgTable(
  "budget",
  {
    ...documentColumns(),
    limitMicros: int8("limit_micros").generatedAlwaysAs(sql`(made by the migration)`),
    hard: boolean("hard").generatedAlwaysAs(sql`(made by the migration)`),
    series: text("series").generatedAlwaysAs(sql`(made by the migration)`),
    frozen: boolean("frozen").notNull().default(false),
    frozenAt: instant("frozen_at"),
    frozenBy: uuid("frozen_by"),
    freezeReason: text("freeze_reason"),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.name] })],
);

export const principalGroup = pgTable("principal_group", documentColumns(), (t) => [
  primaryKey({ columns: [t.tenant, t.name] }),
]);

export const session = pgTable("session", {
  id: uuid("id").primaryKey(),
  tenant: text("tenant").notNull(),
  agent: text("agent").notNull(),
  principalId: text("principal_id").notNull(),
  principalVerified: boolean("principal_verified").notNull(),
  principalLabels: jsonb("principal_labels").notNull().default({}),
  purpose: text("purpose").notNull().default(""),
  scope: jsonb("scope"),
  labels: jsonb("labels").notNull().default({}),
  runId: text("run_id"),
  state: text("state", { enum: ["open", "closed", "revoked"] })
    .notNull()
    .default("open"),
  parent: uuid("parent"),
  depth: integer("depth").notNull().default(0),
  openedAt: instant("opened_at").notNull(),
  expiresAt: instant("expires_at").notNull(),
  openedBy: uuid("opened_by").notNull(),
  details: jsonb("details").notNull().default({}),
  closedAt: instant("closed_at"),
  revision: int8("revision").notNull().default(sql`0`),
  principalIssuer: text("principal_issuer"),
  act: jsonb("act"),
  changed: transactionId("changed"),
});

export const signingKey = pgTable("signing_key", {
  kid: text("kid").primaryKey(),
  publicJwk: jsonb("public_jwk").notNull(),
  wrappedPrivate: bytes("wrapped_private").notNull(),
  wrappedBy: text("wrapped_by").notNull(),
  createdAt: instant("created_at").notNull().defaultNow(),
  retiredAt: instant("retired_at"),
});

export const dataKey = pgTable("data_key", {
  id: uuid("id").primaryKey(),
  tenant: text("tenant").notNull(),
  wrapped: bytes("wrapped"),
  wrappedBy: text("wrapped_by").notNull(),
  createdAt: instant("created_at").notNull().defaultNow(),
  destroyedAt: instant("destroyed_at"),
});

export const revocation = pgTable(
  "revocation",
  {
    tenant: text("tenant").notNull(),
    id: uuid("id").notNull(),
    kind: text("kind", { enum: ["agent", "session", "principal", "tool", "labels", "tenant"] }).notNull(),
    subject: text("subject").notNull(),
    labels: jsonb("labels").notNull().default({}),
    reason: text("reason").notNull(),
    madeAt: instant("made_at").notNull().defaultNow(),
    madeBy: uuid("made_by").notNull(),
    expiresAt: instant("expires_at"),
    revision: int8("revision").notNull(),
    liftedAt: instant("lifted_at"),
    liftedBy: uuid("lifted_by"),
    liftReason: text("lift_reason"),
    liftedRevision: int8("lifted_revision"),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.id] })],
);

export const replica = pgTable("replica", {
  id: uuid("id").primaryKey(),
  alive: boolean("alive").notNull().default(true),
  host: text("host").notNull(),
  startedAt: instant("started_at").notNull().defaultNow(),
});

export const writer = pgTable("writer", {
  writer: int8("writer").primaryKey().generatedAlwaysAsIdentity(),
  replica: uuid("replica").notNull(),
  pid: integer("pid").notNull(),
  alive: boolean("alive").notNull().default(true),
  lastN: int8("last_n"),
});

export const heartbeat = pgTable("heartbeat", {
  replica: uuid("replica").primaryKey(),
  beats: int8("beats").notNull().default(sql`0`),
});

export const recordOrd = pgSequence("record_ord");

export const call = pgTable(
  "call",
  {
    day: date("day").notNull(),
    tenant: text("tenant").notNull(),
    session: uuid("session").notNull(),
    key: bytes("key").notNull(),
    id: uuid("id").notNull(),
    digest: bytes("digest").notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.tenant, t.session, t.key] })],
);

export const record = pgTable(
  "record",
  {
    day: date("day").notNull(),
    writer: int8("writer").notNull(),
    n: int8("n").notNull(),
    ord: int8("ord").notNull(),
    id: uuid("id").notNull(),
    tenant: text("tenant").notNull(),
    session: uuid("session"),
    kind: text("kind").notNull(),
    subject: uuid("subject"),
    chunks: int8("chunks").array(),
    amounts: int8("amounts").array(),
    expiresAt: instant("expires_at"),
    digest: bytes("digest").notNull(),
    body: bytes("body").notNull(),
    aside: bytes("aside"),
    accounts: int8("accounts").array(),
    held: int8("held").array(),
    posted: int8("posted").array(),
    overage: int8("overage").array(),
    recordedAt: instant("recorded_at").notNull().defaultNow(),
    run: uuid("run"),
    trail: text("trail"),
  },
  (t) => [primaryKey({ columns: [t.writer, t.n, t.day] })],
);
