import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { usage } from "../stop.ts";
import type { DraftFile } from "./suggest.ts";

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Writes files into a directory, all or none of them; answers their paths. What is there is kept unless `force`. */
export async function writeDraft(directory: string, files: readonly DraftFile[], force: boolean): Promise<string[]> {
  const paths = files.map(({ file }) => join(directory, file));
  for (const path of force ? [] : paths) {
    if (await exists(path)) throw usage(`${path} is there already`, "choose another --out, or --force to replace it");
  }
  await mkdir(directory, { recursive: true });
  for (const [at, { text }] of files.entries()) await writeFile(paths[at] ?? directory, text);
  return paths;
}
