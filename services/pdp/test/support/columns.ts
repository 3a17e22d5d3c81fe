import { withClient } from "./test-database.ts";

/**
 * Where a text stands in a database, by hand-written SQL over every column that can hold one: each hit as
 * `table.column`. Bytes are searched as they are, so what is sealed is not found.
 */
export async function columnsHolding(superuserUrl: string, marker: string): Promise<string[]> {
  return withClient(superuserUrl, async (client) => {
    const { rows: columns } = await client.query<{ relation: string; name: string; type: string }>(`
      select c.relname as relation, a.attname as name, format_type(a.atttypid, null) as type
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and format_type(a.atttypid, null) in ('text', 'text[]', 'bytea', 'json', 'jsonb', 'character varying')
       order by 1, 2`);
    const found: string[] = [];
    for (const { relation, name, type } of columns) {
      const condition =
        type === "bytea" ? `position(convert_to($1, 'utf8') in ${name}) > 0` : `position($1 in ${name}::text) > 0`;
      const { rows } = await client.query(`select from ${relation} where ${condition} limit 1`, [marker]);
      if (rows.length > 0) found.push(`${relation}.${name}`);
    }
    return found;
  });
}
