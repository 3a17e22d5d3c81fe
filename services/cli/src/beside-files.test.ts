import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Problem } from "@remit/engine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { withFilesBeside } from "./beside-files.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "remit-beside-"));
  await writeFile(join(folder, "p.cedar"), 'one;\n  "two" \\\n\n\tthree');
  await writeFile(join(folder, "p.schema"), "entity A;\r\nentity B;\r\n\r\n");
  await writeFile(join(folder, "odd.cedar"), "bell \u0007\n");
  await writeFile(join(folder, "b.tar.gz"), Buffer.from([0, 255, 128]));
});
afterAll(() => rm(folder, { recursive: true }));

const put = (text: string) => withFilesBeside({ file: join(folder, "p.yaml"), text });
const problem = (line: number, column: number, excerpt?: string): Problem => ({
  ...{ file: join(folder, "p.yaml"), line, column, code: "value_invalid", severity: "error", message: "wrong" },
  ...(excerpt === undefined ? {} : { excerpt }),
});

const document = `kind: Policy
spec:
  sourceFile: ./p.cedar   # what it says
  schemaFile: p.schema
  match: { tools: [pay] }
`;

describe("files beside a document", () => {
  it("are put in as they are, and base64 where they are bundles", async () => {
    const { spec } = parse((await put(document)).text);
    expect(spec).toEqual({
      source: 'one;\n  "two" \\\n\n\tthree',
      schema: "entity A;\nentity B;\n\n",
      match: { tools: ["pay"] },
    });
    const { text } = await put("kind: Policy\nspec: { bundleFile: b.tar.gz, sourceFile: p.cedar }\n");
    expect(parse(text).spec).toEqual({ bundle: "AP+A", source: 'one;\n  "two" \\\n\n\tthree' });
    expect(parse((await put("kind: Policy\nspec:\n  sourceFile: odd.cedar\n")).text).spec.source).toBe("bell \u0007\n");
    expect(parse((await put('{"kind":"Policy","spec":{"sourceFile":"p.cedar"}}')).text).spec.source).toContain("three");
  });

  it("show problems at their own lines, and those behind them where they were", async () => {
    const { placed, text } = await put(document);
    if (!placed) throw new Error("nothing was put in");
    const lines = text.split("\n");
    const two = lines.findIndex((line) => line.includes("two")) + 1;
    expect(placed(problem(two, 7, '      "two"\n      ^'))).toMatchObject({
      file: join(folder, "p.cedar"),
      line: 2,
      column: 3,
      excerpt: '  "two"\n  ^',
    });
    const entity = lines.findIndex((line) => line.includes("entity B")) + 1;
    expect(placed(problem(entity, 5))).toMatchObject({ file: join(folder, "p.schema"), line: 2, column: 1 });
    const match = lines.findIndex((line) => line.includes("match")) + 1;
    expect(placed(problem(match, 3))).toMatchObject({ file: join(folder, "p.yaml"), line: 5, column: 3 });
    expect(placed(problem(1, 1))).toMatchObject({ line: 1 });
  });

  it("that cannot be read are named", async () => {
    await expect(put("kind: Policy\nspec: { bundleFile: gone.tar.gz }")).rejects.toThrow(
      /bundleFile cannot read .*gone.*ENOENT/,
    );
  });

  it("are of policies alone", async () => {
    const source = { file: join(folder, "t.yaml"), text: "kind: Tool\nspec: { sourceFile: p.cedar }" };
    expect(await withFilesBeside(source)).toBe(source);
  });
});
