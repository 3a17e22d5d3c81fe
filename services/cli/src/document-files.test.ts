import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDocumentFiles, separate } from "./document-files.ts";
import { fakeIo } from "./fake-io.ts";

const TOOL = "apiVersion: remit/v1\nkind: Tool\nmetadata: { name: pay }\nspec: { risk: write }\n";
const AGENT = "apiVersion: remit/v1\nkind: Agent\nmetadata: { name: clerk }\nspec: { ceiling: { tools: ['*'] } }\n";

async function directory(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "remit-cli-"));
  await mkdir(join(root, "below"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  return root;
}

test("a directory gives its YAML and JSON files at any depth, tests apart, in order", async () => {
  const root = await directory({
    "b.yaml": TOOL,
    "below/a.yml": AGENT,
    "a_test.yaml": "x",
    "notes.md": "no",
    "c.json": "{}",
  });
  const { documents, tests } = await readDocumentFiles(fakeIo(), [root], "--file");
  expect(documents.map(({ file }) => file.slice(root.length + 1))).toEqual(["b.yaml", "below/a.yml", "c.json"]);
  expect(tests.map(({ file }) => file.slice(root.length + 1))).toEqual(["a_test.yaml"]);
});

test("a file that is not UTF-8 is refused: a letter that was replaced would be another one", async () => {
  const root = await directory({ "a.yaml": TOOL });
  await writeFile(join(root, "b.yaml"), Buffer.from("# Gr\u00fc\u00dfe\n", "latin1"));
  await expect(readDocumentFiles(fakeIo(), [root], "--file")).rejects.toThrow("b.yaml: it is not UTF-8");
});

test("links are followed, and what two of them lead to is there once", async () => {
  const elsewhere = await directory({ "tool.yaml": TOOL, "below/agent.yaml": AGENT });
  const root = await directory({ "own.yaml": TOOL });
  await symlink(join(elsewhere, "tool.yaml"), join(root, "linked.yaml"));
  await symlink(join(elsewhere, "below"), join(root, "folder"));
  await symlink(root, join(root, "below", "around"));
  await symlink("own.yaml", join(root, "same.yaml"));
  await symlink("user@host.1:2", join(root, ".#own.yaml"));
  const { documents } = await readDocumentFiles(fakeIo(), [root], "--file");
  expect(documents.map(({ file }) => file.slice(root.length + 1))).toEqual([
    "folder/agent.yaml",
    "linked.yaml",
    "own.yaml",
  ]);
});

test("a link that leads nowhere is told, not passed over: what it stood for would be pruned", async () => {
  const root = await directory({ "own.yaml": TOOL });
  await symlink("gone.yaml", join(root, "linked.yaml"));
  const read = readDocumentFiles(fakeIo(), [root], "--file");
  await expect(read).rejects.toThrow(`--file cannot read ${join(root, "linked.yaml")}: ENOENT`);
});

test("- is standard input", async () => {
  const { documents } = await readDocumentFiles(fakeIo({ stdin: TOOL }), ["-"], "--file");
  expect(documents).toEqual([{ file: "stdin", text: TOOL }]);
});

test("a path that is not there, and a directory without documents, are told with the option", async () => {
  const empty = await directory({ "notes.md": "no" });
  await expect(readDocumentFiles(fakeIo(), ["/nowhere"], "--file")).rejects.toThrow(
    "--file cannot read /nowhere: ENOENT",
  );
  await expect(readDocumentFiles(fakeIo(), [empty], "--file")).rejects.toThrow("--file names no .yaml");
});

test("the documents of a file are taken apart, each keeping the lines that it stands on", async () => {
  const parts = await separate([{ file: "all.yaml", text: `${TOOL}---\n${AGENT}--- # the end\n` }]);
  expect(parts.map(({ kind, name }) => [kind, name])).toEqual([
    ["tool", "pay"],
    ["agent", "clerk"],
  ]);
  const agentLine = parts[1]?.text.split("\n").findIndex((line) => line.startsWith("kind: Agent"));
  expect(agentLine).toBe(`${TOOL}---\n${AGENT}`.split("\n").indexOf("kind: Agent"));
});
