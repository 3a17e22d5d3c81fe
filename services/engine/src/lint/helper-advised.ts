import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { literalText, partsOf, startOf } from "./expressions.ts";
import { argumentSchema, type KnownNames } from "./known-names.ts";
import type { ExpressionWarning } from "./look.ts";
import { everyElement, type Names, pathOf } from "./path-of.ts";
import { isAnchored } from "./pattern-unanchored.ts";

type Comparison = "startsWith" | "endsWith" | "contains" | "matches" | "split";
const comparisons: ReadonlySet<string> = new Set<Comparison>([
  "startsWith",
  "endsWith",
  "contains",
  "matches",
  "split",
]);

type Kind = "path" | "url" | "command" | "email";

/** The last word of an argument's name, by what it says the argument holds. */
const called: Readonly<Record<string, Kind>> = Object.fromEntries([
  ...["path", "file", "filename", "filepath", "dir", "directory", "folder"].map((word) => [word, "path"] as const),
  ...["url", "uri", "href", "link", "endpoint", "webhook"].map((word) => [word, "url"] as const),
  ...["command", "cmd", "commandline", "shell"].map((word) => [word, "command"] as const),
]);

/** `target_files` and `targetFile` end with the word `file`. */
function kindByName(name: string): Kind | undefined {
  const word =
    name
      .split(/[^\p{L}\p{N}]+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u)
      .at(-1)
      ?.toLowerCase() ?? "";
  return [word, word.replace(/(?:ies|s)$/, (end) => (end === "s" ? "" : "y"))].map((one) => ownKind(one)).find(Boolean);
}

const ownKind = (word: string) => (Object.hasOwn(called, word) ? called[word] : undefined);

const formats: Readonly<Record<string, Kind>> = {
  uri: "url",
  "uri-reference": "url",
  iri: "url",
  url: "url",
  email: "email",
  "idn-email": "email",
  path: "path",
};

/** What an argument holds, by what its schema and its name say, else by what it is compared with. */
function kindOf(path: readonly string[], compared: Comparison, literal: string, formatOf: string | undefined) {
  const format = formatOf !== undefined && Object.hasOwn(formats, formatOf) ? formats[formatOf] : undefined;
  if (format) return format;
  const name = path.findLast((key) => key !== everyElement) ?? "";
  const byName = kindByName(name);
  if (byName) return byName;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(literal)) return "url";
  if (compared === "startsWith" && /^\/[\w.-]/.test(literal)) return "path";
  return compared === "endsWith" && /^@[\w-]+\./.test(literal) ? "email" : undefined;
}

/** A comparison that nobody can pass by writing the same thing otherwise. */
function isHarmless(kind: Kind, compared: Comparison, literal: string): boolean {
  if (compared === "matches") return isStrict(literal);
  // A path's parts may be asked for one of a name.
  if (compared === "split") return kind === "path";
  // A single sign of punctuation asks for the sign itself: a query, an option.
  if (compared === "contains") return !/[\p{L}\p{N}]/u.test(literal) && !literal.includes("..");
  return compared === "endsWith" && kind !== "email" && /^\.[A-Za-z0-9]{1,8}$/.test(literal) && kind === "path";
}

/** Whether a pattern holds a whole text to characters that it names: nothing unexpected stands in such a text. */
function isStrict(pattern: string): boolean {
  const bare = pattern.replace(/\\./g, "").replace(/\[(?!\^)[^\]]*\]/g, "");
  return isAnchored(pattern) && !/[.[]/.test(bare);
}

const quoted = (text: string) => JSON.stringify(text);

function urlAdvice(compared: Comparison, literal: string, shown: string): string {
  if (compared === "matches" || compared === "split") return `url.host(${shown}) and url.path(${shown})`;
  const [, scheme, host] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(literal) ?? [];
  if (compared === "startsWith" && scheme !== undefined && !host)
    return `url.scheme(${shown}) == ${quoted(scheme.toLowerCase())}`;
  if (host) return `url.host(${shown}) == ${quoted(host.toLowerCase())}`;
  if (literal.startsWith("/")) return `url.path(${shown}).${compared}(${quoted(literal)})`;
  return hostAdvice(`url.host(${shown})`, literal);
}

/** A host of this name, or of one below it: its end alone is another's end too, as in `evilacme.com`. */
export function hostAdvice(host: string, literal: string): string {
  const name = literal.toLowerCase().replace(/^[.@]+|\.+$/g, "");
  const below = `${host}.endsWith(${quoted(`.${name}`)})`;
  return literal.startsWith(".") ? below : `${host} == ${quoted(name)} || ${below}`;
}

/** What says it so that other spellings are caught. */
function advice(kind: Kind, compared: Comparison, literal: string, shown: string): string {
  switch (kind) {
    case "path":
      return compared === "startsWith"
        ? `path.within(${shown}, ${quoted(literal.replace(/(.)\/+$/, "$1"))})`
        : `path.within(${shown}, DIRECTORY), or path.base(${shown}) for its last part`;
    case "url":
      return urlAdvice(compared, literal, shown);
    case "command":
      if (compared === "matches" || compared === "split") return `argv(${shown}), word by word`;
      return `argv(${shown})[0] == ${quoted(literal.trim().split(" ")[0] ?? "")}`;
    case "email":
      if (compared === "matches" || compared === "split") return `email.addresses(${shown}), all of them`;
      return `email.addresses(${shown}).all(a, email.domain(a) == ${quoted(literal.replace(/^@/, ""))})`;
  }
}

const insights: Readonly<Record<Kind, string>> = {
  path: "a path compared as text: `..` and other spellings lead elsewhere",
  url: "a URL compared as text: a user name, another host or another spelling passes",
  command: "a command compared as text: `;`, `|` and `$( )` run others",
  email: "an address compared as text: a second one beside it passes",
};

function formatAt([root, ...below]: readonly string[], tools: readonly string[], known: KnownNames) {
  if (root !== "input") return undefined;
  for (const name of tools) {
    const tool = known.tools.get(name);
    const format = tool && argumentSchema(tool, below)?.format;
    if (typeof format === "string") return format;
  }
  return undefined;
}

/** Warns of `startsWith`, `endsWith` and `contains` on paths, URLs, commands and addresses. */
export const helperAdvised: ExpressionWarning = (written, tools, { variables, known, report }) => {
  const look = (expr: Expr, names: Names): void => {
    const { exprKind: kind } = expr;
    if (kind.case === "callExpr" && comparisons.has(kind.value.function) && kind.value.target) {
      tell(kind.value.function as Comparison, kind.value.target, kind.value.args[0], names);
    }
    const inner = kind.case === "comprehensionExpr" ? boundBy(kind.value, names) : names;
    for (const part of partsOf(expr)) look(part, inner);
  };
  const tell = (compared: Comparison, target: Expr, argument: Expr | undefined, names: Names): void => {
    const path = pathOf(target, names);
    if (!path || (path[0] !== "input" && path[0] !== "context") || path.length < 2) return;
    const literal = argument && literalText(argument);
    const kind = kindOf(path, compared, literal ?? "", formatAt(path, tools, known));
    if (!kind || (literal !== undefined && isHarmless(kind, compared, literal))) return;
    const shown = path.includes(everyElement) ? (nameOf(target) ?? "IT") : path.join(".");
    report(written.pointer, insights[kind], {
      ...{ code: "helper_advised", severity: "warning" },
      within: { text: written.text, offset: startOf(target, written) },
      expected: advice(kind, compared, literal ?? "", shown),
    });
  };
  look(written.expr, { variables, bound: new Map() });
};

/** How an author names an element of a list, or what lies in it: `x`, `x.path`. */
function nameOf({ exprKind: kind }: Expr): string | undefined {
  if (kind.case === "identExpr") return kind.value.name;
  if (kind.case === "selectExpr") {
    const above = kind.value.operand && nameOf(kind.value.operand);
    return above && `${above}.${kind.value.field}`;
  }
  if (kind.case !== "callExpr") return undefined;
  const above = kind.value.target ?? kind.value.args[0];
  const name = above && nameOf(above);
  return name !== undefined && kind.value.function === "_[_]" ? `${name}[…]` : name;
}

function boundBy({ iterVar, iterRange }: { iterVar: string; iterRange?: Expr | undefined }, names: Names): Names {
  const above = iterRange && pathOf(iterRange, names);
  const bound = new Map(names.bound);
  if (above) bound.set(iterVar, [...above, everyElement]);
  else bound.delete(iterVar);
  return { ...names, bound };
}
