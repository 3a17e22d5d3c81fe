import pg, { type ClientBase, type Pool, type QueryConfig } from "pg";
import type { Pause } from "../foundation/in-slices.ts";
import { parseJsonInSlices } from "../foundation/json-in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";

/** Rows of one answer of the server. The next ones are asked for when these are here: so many are little work at a time. */
const ROWS_AT_ONCE = 500;
/** Text that is parsed between two pauses, and what a row counts besides. */
const CHARS_AT_ONCE_MAX = 32 * 1024;
const ROW_CHARS = 100;

/** A JSON text that nobody has parsed yet. */
class JsonText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const jsonOids: ReadonlySet<number> = new Set([pg.types.builtins.JSON, pg.types.builtins.JSONB]);

const unparsed: NonNullable<QueryConfig["types"]> = {
  getTypeParser: (oid: number, format?: string) =>
    jsonOids.has(oid) && format !== "binary"
      ? (text: string) => new JsonText(text)
      : pg.types.getTypeParser(oid, format as "text"),
};

/** Rows whose JSON is still to be parsed. */
export interface UnparsedRows<Row> {
  /** Parses it, in slices. */
  parsed(pause?: Pause): Promise<Row[]>;
}

/**
 * The rows of a query, some hundred at a time. Their JSON is parsed once the transaction is over, which would otherwise
 * wait for that: a tenant has as many documents as it may, some of them a megabyte long. `name`: prepared under it.
 */
export async function unparsedRows<Row extends object>(
  on: ClientBase | Pool,
  text: string,
  values: readonly unknown[],
  name?: string,
): Promise<UnparsedRows<Row>> {
  // `rows` is the driver's, and missing in its types.
  const query: QueryConfig & { readonly rows: number } = {
    ...{ text, values: [...values], types: unparsed, ...(name !== undefined && { name }) },
    rows: ROWS_AT_ONCE,
  };
  const { rows } = await on.query<Record<string, unknown>>(query);
  return { parsed: (pause = turnOfTheLoop) => parsedRows(rows, pause) as Promise<Row[]> };
}

/** The rows of a query that needs no transaction. */
export async function documentRows<Row extends object>(
  on: ClientBase | Pool,
  text: string,
  values: readonly unknown[],
  pause?: Pause,
): Promise<Row[]> {
  return (await unparsedRows<Row>(on, text, values)).parsed(pause);
}

async function parsedRows(rows: Record<string, unknown>[], pause: Pause): Promise<object[]> {
  let chars = 0;
  for (const row of rows) {
    chars += ROW_CHARS;
    for (const [name, value] of Object.entries(row)) {
      if (!(value instanceof JsonText)) continue;
      const { text: json } = value;
      row[name] = json.length > CHARS_AT_ONCE_MAX ? await parseJsonInSlices(json, pause) : JSON.parse(json);
      chars += json.length;
    }
    if (chars < CHARS_AT_ONCE_MAX) continue;
    chars = 0;
    await pause();
  }
  return rows;
}
