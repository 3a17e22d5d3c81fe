import type { ClientBase } from "pg";

/** Thrown inside a transaction to roll it back; becomes a refusal outside. */
export class Refusal extends Error {
  readonly why: "revision_conflict" | "exists" | "missing";
  constructor(why: Refusal["why"]) {
    super(why);
    this.why = why;
  }
}

/** Runs a statement that must find its row. */
export async function touched(client: ClientBase, sql: string, values: unknown[]): Promise<void> {
  const { rowCount } = await client.query(sql, values);
  if (rowCount === 0) throw new Refusal("missing");
}
