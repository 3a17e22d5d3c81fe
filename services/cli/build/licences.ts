import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A package of somebody else's whose code is part of the bundle. */
export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  /** As its package.json says it: an SPDX expression. */
  readonly licence: string;
  readonly author: string;
  /** The texts of its licence and notice files. */
  readonly texts: readonly string[];
}

/** Licences under which a bundle may carry code and stay Apache-2.0. Another one stops the build until somebody looked. */
const ACCEPTED = new Set([
  "MIT",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "(Apache-2.0 AND BSD-3-Clause)",
  "(MIT AND Zlib)",
  "BlueOak-1.0.0",
]);

const LICENCE_FILE = /^(?:licen[cs]e|notice|copying)(?:[.-].*)?$/i;

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
}

/** The nearest directory above a file whose package.json has a name and a version; some packages have others inside. */
function packageOf(file: string): { directory: string; manifest: Manifest } | undefined {
  for (let at = dirname(file); at !== dirname(at); at = dirname(at)) {
    const path = join(at, "package.json");
    if (!existsSync(path)) continue;
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    if (manifest.name !== undefined && manifest.version !== undefined) return { directory: at, manifest };
  }
  return undefined;
}

/**
 * Whose code the modules of a bundle are, sorted by name and version; `modules` are absolute paths, ours are left out.
 * Throws for a package that does not say its licence, or whose licence is not one of the accepted.
 */
export function thirdParties(modules: Iterable<string>): ThirdParty[] {
  const found = new Map<string, ThirdParty>();
  for (const module of modules) {
    // Some ids of a bundler are no files: they begin with a NUL.
    if (module.startsWith("\0") || !module.includes("/node_modules/")) continue;
    const at = packageOf(module.split("?")[0] ?? module);
    if (at === undefined) throw new Error(`${module} belongs to no package`);
    const { name = "", version = "", license: licence = "", author = "" } = at.manifest;
    const key = `${name} ${version}`;
    if (found.has(key)) continue;
    if (!ACCEPTED.has(licence)) {
      throw new Error(
        `${key} is under ${JSON.stringify(licence)}: look whether its code may be bundled, then accept it`,
      );
    }
    const files = readdirSync(at.directory).filter((file) => LICENCE_FILE.test(file));
    const texts = files.sort().map((file) => readFileSync(join(at.directory, file), "utf8").trim());
    const by = typeof author === "string" ? author : (author.name ?? "");
    found.set(key, { name, version, licence, author: by, texts });
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

const RULE = `\n\n${"-".repeat(80)}\n\n`;

/** THIRD-PARTY-LICENSES, whole. */
export function licencePage(parties: readonly ThirdParty[]): string {
  const sections = parties.map(({ name, version, licence, author, texts }) => {
    const none = "The package carries no text of its licence; that of Apache-2.0 is in LICENSE.";
    const head = [`${name} ${version}`, `Licence: ${licence}`, ...(author === "" ? [] : [`Author: ${author}`])];
    return [head.join("\n"), ...(texts.length === 0 ? [none] : texts)].join("\n\n");
  });
  const first = "remit carries code of these packages, each under the licence that is named and printed with it.";
  return `${[first, ...sections].join(RULE)}\n`;
}
