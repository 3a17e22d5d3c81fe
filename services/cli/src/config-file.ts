import { readFile } from "node:fs/promises";
import { usage } from "./stop.ts";

const DEFAULT_FILE = "remit.yaml";

/** The configuration file: the named one, which must be there, or `remit.yaml` if it is. */
export async function readConfigFile(named: string | undefined): Promise<{ path: string; text: string } | undefined> {
  const path = named ?? DEFAULT_FILE;
  try {
    return { path, text: await readFile(path, "utf8") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (named === undefined && code === "ENOENT") return undefined;
    throw usage(`cannot read the configuration ${path}: ${code ?? String(error)}`);
  }
}
