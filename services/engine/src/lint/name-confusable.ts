import { finish, type Steps } from "../compile/steps.ts";
import { below, type Report, reporter } from "../documents/origin.ts";
import type { Documents } from "../documents/parse.ts";
import type { Problem } from "../documents/problem.ts";
import type { ToolDocument } from "../documents/tool.ts";
import { isJsonObject, type JsonValue } from "../json.ts";

/** Letters of other scripts that look like Latin ones: the ones that fonts draw alike. Cyrillic, then Greek. */
const alike: Readonly<Record<string, string>> = Object.fromEntries(
  [..."аеорсухіјѕһԁԛԝοναρυικ"].map((char, index) => [char, "aeopcyxijshdqwovapuik"[index] ?? char]),
);

/** What a name looks like: two names that look the same have the same look. */
export function lookOf(name: string): string {
  const bare = name.normalize("NFKC").replace(/\p{Cf}/gu, "");
  return [...bare.replaceAll("I", "l").toLowerCase()]
    .map((char) => alike[char] ?? char)
    .join("")
    .replaceAll("0", "o")
    .replaceAll("1", "l");
}

/** Whether letters of several scripts stand in one word, one of them Latin: no language writes so. */
function mixesScripts(name: string): boolean {
  return name
    .split(/[^\p{L}]+/u)
    .some((word) => /\p{Script=Latin}/u.test(word) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word));
}

const details = { code: "name_confusable", severity: "warning" } as const;

/** Finding out what a name looks like. */
const nameCost = 0.3;

/** Names of one list, each against those before it. */
function* tellConfusable(names: Iterable<string>, tell: (name: string, message: string) => void): Steps<void> {
  const seen = new Map<string, string>();
  for (const name of names) {
    const look = lookOf(name);
    const other = seen.get(look);
    if (other !== undefined && other !== name) tell(name, `\`${name}\` looks like \`${other}\``);
    seen.set(look, other ?? name);
    yield nameCost;
  }
}

const depthMax = 32;

/** Argument names are the tools' own, in any script: ones that look alike, or that nobody sees whole, are told. */
export function confusableArguments({ spec }: ToolDocument, report: Report): void {
  const look = (value: JsonValue, pointer: string, depth: number): void => {
    if (depth > depthMax) return;
    if (Array.isArray(value)) value.forEach((item, index) => void look(item, below(pointer, index), depth + 1));
    if (!isJsonObject(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      if (["const", "enum", "default", "examples"].includes(key)) continue;
      const at = below(pointer, key);
      if (key === "properties" && isJsonObject(inner)) tellArguments(Object.keys(inner), at);
      look(inner, at, depth + 1);
    }
  };
  const tellArguments = (names: readonly string[], at: string): void => {
    const tell = (name: string, message: string) => report(below(at, name), message, { ...details, atKey: true });
    finish(tellConfusable(names, tell));
    for (const name of names) {
      if (/[\p{Cf}\p{Cc}]/u.test(name)) tell(name, "an argument whose name has characters that cannot be seen");
      else if (mixesScripts(name)) tell(name, `\`${name}\` mixes letters of several scripts that look alike`);
    }
  };
  for (const key of ["inputSchema", "contextSchema"] as const) look(spec[key] ?? null, `/spec/${key}`, 0);
}

const kinds = ["policies", "tools", "agents", "budgets", "groups"] as const;

/** Names of documents and rules are ASCII: what is left are ones that differ in case, or in `l`, `1`, `I`, `O` and `0`. */
export function* confusableNames(documents: Documents, problems: Problem[]): Steps<void> {
  for (const kind of kinds) {
    const byName = new Map(documents[kind].map((document) => [document.metadata.name, document]));
    yield* tellConfusable(byName.keys(), (name, message) => {
      const document = byName.get(name);
      if (document) reporter(document, name, problems)("/metadata/name", message, details);
    });
  }
  for (const policy of documents.policies) {
    const ids = policy.spec.rules.map(({ id }) => id);
    yield* tellConfusable(ids, (id, message) => {
      const pointer = `/spec/rules/${ids.lastIndexOf(id)}/id`;
      reporter(policy, policy.metadata.name, problems)(pointer, message, details);
    });
  }
}
