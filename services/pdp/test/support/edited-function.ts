import { type TestDatabase, withClient } from "./test-database.ts";

/** Puts another text in the place of a function's in a database of the test's own. Throws where that would change nothing. */
export async function editFunction(
  { ownerUrl }: Pick<TestDatabase, "ownerUrl">,
  name: string,
  edit: (definition: string) => string,
): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    const { rows } = await client.query<{ definition: string }>(
      "select pg_get_functiondef(to_regproc($1)) as definition",
      [name],
    );
    const definition = rows[0]?.definition ?? "";
    const edited = edit(definition);
    if (edited === definition) throw new Error(`${name} has no such part any more`);
    await client.query(edited);
  });
}
