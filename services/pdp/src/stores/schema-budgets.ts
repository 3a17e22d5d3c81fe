import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  date,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";

/* The books of budgets, as the migrations make them: see `schema.ts`. */

const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });
const int8 = (name: string) => bigint(name, { mode: "bigint" });
const instant = (name: string) => timestamp(name, { withTimezone: true });

export const account = pgTable("account", {
  id: int8("id").primaryKey().generatedAlwaysAsIdentity(),
  tenant: text("tenant").notNull(),
  budget: text("budget"),
  series: text("series"),
  key: text("key").notNull().default(""),
  session: uuid("session"),
  unit: text("unit").notNull(),
  instance: bytes("instance").notNull(),
  opensAt: instant("opens_at").notNull(),
  closesAt: instant("closes_at").notNull(),
  ownLimit: int8("own_limit"),
  hard: boolean("hard").notNull(),
  ceiling: int8("ceiling").notNull(),
  held: int8("held").notNull().default(sql`0`),
  posted: int8("posted").notNull().default(sql`0`),
  overage: int8("overage").notNull().default(sql`0`),
  frozen: boolean("frozen").notNull().default(false),
  frozenAt: instant("frozen_at"),
  frozenWhy: text("frozen_why", { enum: ["overage", "administrator", "recovery"] }),
  openedAt: instant("opened_at").notNull().defaultNow(),
  frozenBy: uuid("frozen_by"),
  freezeReason: text("freeze_reason"),
  history: int8("history").array(),
  alarm: int8("alarm"),
  alarmOffAt: instant("alarm_off_at"),
  crowd: bytes("crowd"),
  nth: integer("nth"),
  carriedHeld: int8("carried_held").notNull().default(sql`0`),
  carriedPosted: int8("carried_posted").notNull().default(sql`0`),
  carriedOverage: int8("carried_overage").notNull().default(sql`0`),
});

export const hold = pgTable("hold", {
  id: uuid("id").primaryKey(),
  tenant: text("tenant").notNull(),
  decision: uuid("decision").notNull(),
  session: uuid("session").notNull(),
  sessionDay: date("session_day").notNull(),
  accounts: int8("accounts").array().notNull(),
  amounts: int8("amounts").array().notNull(),
  pending: boolean("pending").notNull(),
  expiresAt: instant("expires_at").notNull(),
  takenAt: instant("taken_at").notNull().defaultNow(),
});

export const holdResolution = pgTable(
  "hold_resolution",
  {
    tenant: text("tenant").notNull(),
    hold: uuid("hold").notNull(),
    decision: uuid("decision").notNull(),
    released: boolean("released").notNull(),
    reason: text("reason").notNull(),
    resolvedBy: uuid("resolved_by").notNull(),
    resolvedAt: instant("resolved_at").notNull().defaultNow(),
    ending: uuid("ending").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.hold] })],
);
