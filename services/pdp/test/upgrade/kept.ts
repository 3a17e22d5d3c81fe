import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import type { Dump } from "./dump.ts";
import type { Story } from "./story.ts";

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** What is kept of one schema: a build of it, a database that the build had used, and what it answered. */
export interface Kept {
  /** The number of its last migration. */
  readonly schema: number;
  /** The command `remit` as one module. */
  readonly build: string;
  readonly database: Dump;
  readonly story: Story;
}

const root = fileURLToPath(new URL("./kept/", import.meta.url));
const directoryOf = (schema: number): string => `${root}${String(schema).padStart(4, "0")}/`;

async function write(path: string, text: string): Promise<number> {
  const bytes = Buffer.from(text);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const packed = await compress(bytes, { params });
  await writeFile(path, packed);
  return packed.length;
}

const read = async (path: string): Promise<string> => (await decompress(await readFile(path))).toString("utf8");

/** Writes what is to be kept; answers the bytes of its files. */
export async function writeKept({ schema, build, database, story }: Kept): Promise<Record<string, number>> {
  const directory = directoryOf(schema);
  await mkdir(directory, { recursive: true });
  return {
    "remit.mjs.br": await write(`${directory}remit.mjs.br`, build),
    "database.json.br": await write(`${directory}database.json.br`, JSON.stringify(database)),
    "story.json.br": await write(`${directory}story.json.br`, JSON.stringify(story)),
  };
}

/** The schemas of which something is kept, the oldest first. */
export async function keptSchemas(): Promise<number[]> {
  return (await readdir(root)).map(Number).sort((a, b) => a - b);
}

/** What was kept of a schema. */
export async function readKept(schema: number): Promise<Kept> {
  const directory = directoryOf(schema);
  const [build, database, story] = await Promise.all([
    read(`${directory}remit.mjs.br`),
    read(`${directory}database.json.br`),
    read(`${directory}story.json.br`),
  ]);
  return { schema, build, database: JSON.parse(database) as Dump, story: JSON.parse(story) as Story };
}
