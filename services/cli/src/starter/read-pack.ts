import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DocumentFile, isTestFile } from "../document-files.ts";

const directory = fileURLToPath(new URL("./starter-pack/", import.meta.url));

/** A policy to begin with, its tools and its tests. */
export interface StarterPolicy {
  readonly name: string;
  /** What it is about, in one sentence: the first line of its file. */
  readonly about: string;
  /** Named without a directory. */
  readonly files: readonly DocumentFile[];
}

/** Every policy of the starter pack, by name. */
export async function readStarterPack(): Promise<StarterPolicy[]> {
  const names = (await readdir(directory)).sort();
  const files = await Promise.all(
    names.map(async (file) => ({ file, text: await readFile(join(directory, file), "utf8") })),
  );
  return files
    .filter(({ file }) => !isTestFile(file))
    .map((policy) => {
      const name = policy.file.replace(/\.yaml$/, "");
      const [first = ""] = policy.text.split("\n");
      const tests = files.filter(({ file }) => file === `${name}_test.yaml`);
      return { name, about: first.replace(/^# /, ""), files: [policy, ...tests] };
    });
}
