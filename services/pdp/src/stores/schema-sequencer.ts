import { sql } from "drizzle-orm";
import { bigint, boolean, customType, date, pgTable, timestamp } from "drizzle-orm/pg-core";

/* The places of the ledger's records, as the migrations make them: see `schema.ts`. */

const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });
const int8 = (name: string) => bigint(name, { mode: "bigint" });

export const treeHead = pgTable("tree_head", {
  one: boolean("one").primaryKey().default(true),
  size: int8("size").notNull().default(sql`0`),
  movedAt: timestamp("moved_at", { withTimezone: true }).notNull().defaultNow(),
});

export const seqCursor = pgTable("seq_cursor", {
  writer: int8("writer").primaryKey(),
  n: int8("n").notNull().default(sql`0`),
  day: date("day").notNull().default("-infinity"),
  ended: boolean("ended").notNull().default(false),
});

export const leaf = pgTable("leaf", {
  seq: int8("seq").primaryKey(),
  writer: int8("writer").notNull(),
  n: int8("n").notNull(),
  digest: bytes("digest").notNull(),
});
