import { canonical, type Json, type JsonObject } from "../foundation/canonical.ts";
import type { Marks } from "../ledger/index.ts";
import type { Ask } from "./ask.ts";
import type { Finding } from "./finding.ts";

/** What stands in an entry in the place of a redacted value: equal values of a tenant have equal marks. */
interface Mark {
  /** `hmac-sha256:<hex>` over the canonical value, under a key that is derived from the tenant's data key. */
  readonly redacted: string;
  /** Id of that data key. */
  readonly key: string;
}

const EVERY = "*";

/** Shorter texts stand in other words by chance: they are taken out where they stand alone. */
const CHARS_MIN = 4;

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The value with what stands at a path replaced; the same value when nothing does. `*` stands for every item of a list
 * or member of an object. A list on the way that the path does not name is gone through: rather too much than a name
 * that was meant.
 */
function replaceAt(value: Json, keys: readonly string[], replace: (value: Json) => Json): Json {
  const [key, ...rest] = keys;
  if (key === undefined) return replace(value);
  if (Array.isArray(value)) {
    const below = key === EVERY ? rest : keys;
    return value.map((item) => replaceAt(item, below, replace));
  }
  if (!isObject(value)) return value;
  const members = key === EVERY && !Object.hasOwn(value, key) ? Object.keys(value) : [key];
  const changed: Record<string, Json> = { ...value };
  for (const member of members) {
    const held = Object.hasOwn(value, member) ? value[member] : undefined;
    if (held !== undefined) changed[member] = replaceAt(held, rest, replace);
  }
  return changed;
}

/** Every value in a value, itself last; `change` says what takes its place. */
function rewrite(value: Json, change: (value: Json) => Json): Json {
  if (Array.isArray(value)) return change(value.map((item) => rewrite(item, change)));
  if (!isObject(value)) return change(value);
  const entries = Object.entries(value).map(([name, held]) => [name, rewrite(held, change)] as const);
  return change(Object.fromEntries(entries));
}

/** The texts in a value, names of members too: how it could be quoted. */
function textsIn(value: Json, into: Set<string>): void {
  if (typeof value === "string" || typeof value === "number") into.add(String(value));
  else if (Array.isArray(value)) for (const item of value) textsIn(item, into);
  else if (isObject(value)) {
    for (const [name, held] of Object.entries(value)) {
      into.add(name);
      textsIn(held, into);
    }
  }
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** How a text stands within JSON, without its quotes. */
const inJson = (text: string) =>
  /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text) ? text : JSON.stringify(text).slice(1, -1);

/** Takes secrets out of a sentence. Those that it does not quote, of thousands, cost it a look each. */
function createScrub(secrets: ReadonlySet<string>): (text: string) => string {
  return (text) => {
    const spellings = new Set<string>();
    for (const secret of secrets) {
      if (secret === "") continue;
      if (text.includes(secret)) spellings.add(secret);
      const written = inJson(secret);
      if (written !== secret && text.includes(written)) spellings.add(written);
    }
    let clean = text;
    // The longest first: what holds another is taken out whole.
    for (const secret of [...spellings].sort((a, b) => b.length - a.length)) {
      if (secret.length >= CHARS_MIN) clean = clean.replaceAll(secret, "[redacted]");
      else {
        clean = clean.replace(
          new RegExp(`(?<![\\p{L}\\p{N}])${escaped(secret)}(?![\\p{L}\\p{N}])`, "gu"),
          "[redacted]",
        );
      }
    }
    return clean;
  };
}

/** The values that paths name in a call, by their marks, and how they could be quoted. */
interface Secrets {
  readonly values: Map<string, Json>;
  readonly texts: Set<string>;
}

function createMarking(marks: Marks) {
  const secrets: Secrets = { values: new Map(), texts: new Set() };
  const mark = (value: Json): Mark => ({ redacted: marks.mark(canonical(value)), key: marks.keyId });
  const made = new WeakSet<object>();
  const replace = (value: Json): Json => {
    if (isObject(value) && made.has(value)) return value;
    const marked = { ...mark(value) };
    made.add(marked);
    secrets.values.set(marked.redacted, value);
    textsIn(value, secrets.texts);
    return marked;
  };
  const below = (root: "input" | "context", value: JsonObject, paths: readonly string[]): JsonObject => {
    let changed: Json = value;
    // The shorter first: what is replaced whole is not looked into.
    const ways = paths.map((path) => path.split(".")).sort((a, b) => a.length - b.length);
    for (const [from, ...keys] of ways) if (from === root) changed = replaceAt(changed, keys, replace);
    return changed as JsonObject;
  };
  return { secrets, mark, below };
}

/** What of a call goes into its entry. */
export interface Redacted {
  readonly paths: readonly string[];
  /** Canonical JSON. */
  readonly input: string;
  readonly context: string;
  readonly transformed: string | undefined;
  /** The same finding, with nothing quoted that is redacted. */
  readonly verdict: Finding;
}

/** Takes what a tool's paths name in a call out of sentences about it. */
export function scrubOf(
  { input, context }: Pick<Ask, "input" | "context">,
  paths: readonly string[],
): (text: string) => string {
  const texts = new Set<string>();
  const note = (value: Json): Json => {
    textsIn(value, texts);
    return value;
  };
  for (const path of paths) {
    const [root, ...keys] = path.split(".");
    if (root === "input") replaceAt(input.value, keys, note);
    else if (root === "context") replaceAt(context.value, keys, note);
  }
  return createScrub(texts);
}

/** The same finding, with every sentence of it put through `scrub`. */
export function scrubbed(verdict: Finding, scrub: (text: string) => string): Finding {
  const said = <Part extends { message: string; detail?: string; remedy?: string }>(part: Part): Part => ({
    ...part,
    message: scrub(part.message),
    ...(part.detail !== undefined && { detail: scrub(part.detail) }),
    ...(part.remedy !== undefined && { remedy: scrub(part.remedy) }),
  });
  const { would, approval, questions, unknowns } = verdict;
  return {
    ...said(verdict),
    ...(would && { would: said(would) }),
    ...(approval && {
      approval: { ...approval, ...(approval.summary !== undefined && { summary: scrub(approval.summary) }) },
    }),
    ...(questions && { questions: questions.map((question) => ({ ...question, ask: scrub(question.ask) })) }),
    unknowns: unknowns.map((unknown) => ({ ...unknown, why: scrub(unknown.why) })),
  };
}

const GRAM = 4;
const gramsCount = 1 << 16;

/** A number for the four characters there; undefined where one of them may be written otherwise within JSON. */
function gramAt(text: string, at: number): number | undefined {
  let gram = 0;
  for (let index = at; index < at + GRAM; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return undefined;
    gram = (Math.imul(gram, 31) + code) | 0;
  }
  return gram & (gramsCount - 1);
}

/** Whether a text may hold another, as it is or within JSON: thousands are told apart by how they begin and end. */
function mayHold(text: string): (part: string) => boolean {
  const grams = new Uint8Array(gramsCount);
  for (let at = 0; at + GRAM <= text.length; at++) {
    const gram = gramAt(text, at);
    if (gram !== undefined) grams[gram] = 1;
  }
  const rulesOut = (gram: number | undefined) => gram !== undefined && grams[gram] === 0;
  return (part) => part.length < GRAM || !(rulesOut(gramAt(part, part.length - GRAM)) || rulesOut(gramAt(part, 0)));
}

/** Those that any sentence of a finding quotes: looked for in all of its sentences at once. */
function quotedIn(verdict: Finding, secrets: ReadonlySet<string>): ReadonlySet<string> {
  const sentences: string[] = [];
  scrubbed(verdict, (sentence) => {
    sentences.push(sentence);
    return sentence;
  });
  const said = sentences.join("\n");
  const may = mayHold(said);
  const quoted = new Set<string>();
  for (const secret of secrets) {
    if (may(secret) && (said.includes(secret) || said.includes(inJson(secret)))) quoted.add(secret);
  }
  return quoted;
}

/**
 * Takes what a tool's paths name out of everything that its call's entry says: out of input, context and the input that
 * must run, wherever a rule has put it there, and out of every sentence that quotes it.
 */
export function redact(
  { input, context }: Pick<Ask, "input" | "context">,
  transformed: JsonObject | undefined,
  verdict: Finding,
  paths: readonly string[],
  marks: Marks,
): Redacted {
  const { secrets, mark, below } = createMarking(marks);
  const entry = { input: below("input", input.value, paths), context: below("context", context.value, paths) };
  const forced = transformed && below("input", transformed, paths);
  const long = [...secrets.texts].filter((text) => text.length >= CHARS_MIN);
  const carried = (value: Json): Json => {
    if (typeof value === "string" && long.some((text) => value.includes(text))) return { ...mark(value) };
    if (typeof value === "number" && long.includes(String(value))) return { ...mark(value) };
    return value;
  };
  return {
    paths,
    input: canonical(entry.input),
    context: canonical(entry.context),
    transformed: forced && canonical(rewrite(forced, carried)),
    verdict: scrubbed(verdict, createScrub(quotedIn(verdict, secrets.texts))),
  };
}

/** What stood where marks stand, as far as a call that is asked again holds it. */
export function restore(
  redacted: JsonObject,
  { input, context }: Pick<Ask, "input" | "context">,
  paths: readonly string[],
  marks: Marks,
): JsonObject {
  const { secrets, mark, below } = createMarking(marks);
  below("input", input.value, paths);
  below("context", context.value, paths);
  // What quotes a redacted text is marked as a whole, wherever it stood.
  const known = (value: Json): Json => {
    if (typeof value === "string" || typeof value === "number") secrets.values.set(mark(value).redacted, value);
    return value;
  };
  rewrite(input.value, known);
  rewrite(context.value, known);
  // A text that a rule has built is not among them: its mark stays, and the digest tells.
  const back = (value: Json): Json => {
    const name = isObject(value) && typeof value.redacted === "string" ? value.redacted : undefined;
    const held = name === undefined ? undefined : secrets.values.get(name);
    return held === undefined ? value : held;
  };
  return rewrite(redacted, back) as JsonObject;
}
