import { expect, test } from "vitest";
import { deleteDocuments } from "./document-changes.ts";
import { Refusal } from "./refusal.ts";

/** A store that deletes what it has, and what it was asked for in each statement. */
function storeOf(there: ReadonlySet<string>) {
  const asked: string[][] = [];
  const query = async (_text: string, [, names]: [string, string[]]) => {
    asked.push(names);
    return { rowCount: names.filter((name) => there.has(name)).length };
  };
  return { asked, client: { query } as never };
}

const names = Array.from({ length: 2_500 }, (_, at) => `tool-${at}`);

test("very many names are deleted by several statements, each name once", async () => {
  const { asked, client } = storeOf(new Set(names));
  await deleteDocuments(client, "t", { kind: "tools_deleted", names });
  expect(asked.map((some) => some.length)).toEqual([1_000, 1_000, 500]);
  expect(asked.flat()).toEqual(names);
});

test("one that is not there refuses all of them, wherever it stands", async () => {
  for (const missing of [names[0], names[1_500], names.at(-1)]) {
    const { client } = storeOf(new Set(names.filter((name) => name !== missing)));
    await expect(deleteDocuments(client, "t", { kind: "tools_deleted", names })).rejects.toThrow(Refusal);
  }
});
