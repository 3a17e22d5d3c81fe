import { bigint, pgTable, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";

/* What operators set aside of what breakers count, as the migrations make it: see `schema.ts`. */

export const breakerReset = pgTable(
  "breaker_reset",
  {
    tenant: text("tenant").notNull(),
    id: uuid("id").notNull(),
    run: uuid("run"),
    agent: text("agent"),
    tool: text("tool"),
    reason: text("reason").notNull(),
    resetAt: timestamp("reset_at", { withTimezone: true }).notNull(),
    madeBy: uuid("made_by").notNull(),
    revision: bigint("revision", { mode: "bigint" }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.id] })],
);
