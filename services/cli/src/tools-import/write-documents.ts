import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { usage } from "../stop.ts";
import type { Drafted } from "./tool-document.ts";

export interface Written {
  readonly written: readonly string[];
  /** Files that were there already and stay as they are. */
  readonly kept: readonly string[];
}

/** Writes one document a tool. A file that exists holds somebody's edits and is kept, unless `overwrite` says otherwise. */
export async function writeDocuments(folder: string, tools: readonly Drafted[], overwrite: boolean): Promise<Written> {
  const written: string[] = [];
  const kept: string[] = [];
  try {
    await mkdir(folder, { recursive: true });
    for (const { file, text } of tools) {
      const path = join(folder, file);
      try {
        await writeFile(path, text, { flag: overwrite ? "w" : "wx" });
        written.push(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        kept.push(path);
      }
    }
  } catch (error) {
    throw usage(`--out cannot write ${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  return { written, kept };
}
