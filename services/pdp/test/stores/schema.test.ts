import { getTableName, is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as schema from "../../src/stores/schema.ts";
import * as breakers from "../../src/stores/schema-breakers.ts";
import * as budgets from "../../src/stores/schema-budgets.ts";
import * as policies from "../../src/stores/schema-policies.ts";
import { leaf, seqCursor, treeHead } from "../../src/stores/schema-sequencer.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Each column as `table.column type [not null] [primary key]`. */
function declared(): string[] {
  const tables: PgTable[] = [];
  for (const one of Object.values({ ...schema, ...policies, ...budgets, ...breakers, leaf, seqCursor, treeHead }))
    if (is(one, PgTable)) tables.push(one);
  return tables.flatMap((table) => {
    const { columns, primaryKeys } = getTableConfig(table);
    const keyed = new Set(primaryKeys.flatMap((key) => key.columns.map(({ name }) => name)));
    return columns.map((column) => {
      const key = column.primary || keyed.has(column.name);
      return describe(getTableName(table), column.name, column.getSQLType(), column.notNull || key, key);
    });
  });
}

function describe(table: string, name: string, type: string, notNull: boolean, key: boolean): string {
  return [`${table}.${name}`, type, notNull ? "not null" : "", key ? "primary key" : ""].filter(Boolean).join(" ");
}

test("the typed schema has exactly the tables and columns that the migrations make", async () => {
  const { rows } = await withClient(database.superuserUrl, (client) =>
    client.query<{ table: string; name: string; type: string; not_null: boolean; key: boolean }>(`
      select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as not_null,
        coalesce(a.attnum = any (i.indkey), false) as key
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_index i on i.indrelid = c.oid and i.indisprimary
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`),
  );
  const migrated = rows.map((row) => describe(row.table, row.name, row.type, row.not_null, row.key));
  expect(declared().sort()).toEqual(migrated.sort());
});
