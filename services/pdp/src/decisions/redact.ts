import { Canonical, canonical, type Json, type JsonObject } from "../foundation/canonical.ts";
import { digestOfBytes } from "../foundation/digest.ts";
import type { Steps } from "../foundation/steps.ts";
import type { Marks } from "../ledger/index.ts";
import type { Ask } from "./ask.ts";
import { type EntryParts, partsOf } from "./entry-parts.ts";
import type { Finding } from "./finding.ts";
import { addTexts, type Replaced, replaceNamed, rewrite } from "./named-values.ts";
import { CHARS_MIN, quotedIn, scrubbed } from "./scrub.ts";

type Call = Pick<Ask, "input" | "context">;

/** What of a call goes into its entry. */
export interface Redacted {
  readonly paths: readonly string[];
  readonly parts: EntryParts;
  /** Of what stands beside the entry. */
  readonly asideDigest: string | undefined;
  /** The same finding, with nothing quoted that is redacted. */
  readonly verdict: Finding;
}

/** A value, and where its mark goes once it is made. */
interface Named {
  readonly value: Json;
  readonly mark: { text: string };
}

const charsPerStep = 2_000;
const visitCost = 0.02;
const textsPerPart = 200;
/** Of a mark: a digest. */
const markCost = 1;

const markOf = (marks: Marks, value: Json): string => marks.mark(canonical(value));

/**
 * What stands in an entry in the place of a redacted value, in canonical JSON: its mark, which equal values of a tenant
 * have in common, `hmac-sha256:<hex>` over the canonical value under a key that is derived from the tenant's data key,
 * and the id of that data key.
 */
const writtenMark = (mark: string, { keyId }: Marks): string =>
  `{"key":${canonical(keyId)},"redacted":${canonical(mark)}}`;

/** A root of a call with the places of what paths name in it still empty. */
function* named(
  root: "input" | "context",
  value: JsonObject,
  paths: readonly string[],
  into: Named[],
): Steps<Replaced> {
  const places = replaceNamed(root, value, paths, (held) => {
    const mark = new Canonical("");
    into.push({ value: held, mark });
    return mark;
  });
  for (;;) {
    const before = into.length;
    const step = places.next();
    if (step.done) return step.value;
    yield 1 + (into.length - before) * visitCost;
  }
}

/** The texts of what is named: how it could be quoted. */
function* textsOf(all: readonly Named[]): Steps<string[]> {
  const texts: string[] = [];
  let told = 0;
  for (const { value } of all) {
    addTexts(value, texts);
    if (texts.length - told < textsPerPart) continue;
    yield (texts.length - told) * visitCost;
    told = texts.length;
  }
  return texts;
}

function* written(value: Replaced): Steps<string> {
  const text = canonical(value);
  yield text.length / charsPerStep;
  return text;
}

/** The texts of what a tool's paths name in a call: how it could be quoted. */
export function* namedTexts({ input, context }: Call, paths: readonly string[]): Steps<string[]> {
  const all: Named[] = [];
  yield* named("input", input.value, paths, all);
  yield* named("context", context.value, paths, all);
  return yield* textsOf(all);
}

/**
 * The input that must run, with what rules have put together from redacted texts marked too. The places of what is named
 * are filled by now.
 */
function* withoutCarried(forced: Replaced, texts: readonly string[], marks: Marks): Steps<Replaced> {
  const leaves: (string | number)[] = [];
  rewrite(forced, (value) => {
    if (typeof value === "string" || typeof value === "number") leaves.push(value);
    return value;
  });
  yield leaves.length * visitCost;
  const long = texts.filter((text) => text.length >= CHARS_MIN);
  const numbers = new Set(long);
  const secrets = yield* quotedIn(leaves.filter((leaf) => typeof leaf === "string").join("\n"), long);
  const carried: (Canonical | undefined)[] = [];
  let cost = 0;
  for (const leaf of leaves) {
    const carries =
      typeof leaf === "string" ? secrets.some((secret) => leaf.includes(secret)) : numbers.has(String(leaf));
    carried.push(carries ? new Canonical(writtenMark(markOf(marks, leaf), marks)) : undefined);
    cost += (carries ? markCost : visitCost) + secrets.length * visitCost;
    if (cost < 1) continue;
    yield cost;
    cost = 0;
  }
  // It comes by them in the same order again.
  let at = 0;
  return rewrite(forced, (value) =>
    typeof value === "string" || typeof value === "number" ? (carried[at++] ?? value) : value,
  );
}

/**
 * Takes what a tool's paths name out of everything that its call's entry says: out of input, context and the input that
 * must run, wherever a rule has put it there, and out of every sentence that quotes it.
 */
export function* redact(
  { input, context }: Call,
  transformed: JsonObject | undefined,
  verdict: Finding,
  paths: readonly string[],
  marks: Marks,
): Steps<Redacted> {
  const all: Named[] = [];
  const kept = {
    input: yield* named("input", input.value, paths, all),
    context: yield* named("context", context.value, paths, all),
    forced: transformed && (yield* named("input", transformed, paths, all)),
  };
  for (const { value, mark } of all) {
    const text = canonical(value);
    mark.text = writtenMark(marks.mark(text), marks);
    yield markCost + text.length / charsPerStep;
  }
  const texts = yield* textsOf(all);
  const forced = kept.forced === undefined ? undefined : yield* withoutCarried(kept.forced, texts, marks);
  const parts = partsOf({
    input: yield* written(kept.input),
    context: yield* written(kept.context),
    transformed: forced === undefined ? undefined : yield* written(forced),
  });
  const bytes = parts.aside?.length ?? 0;
  yield bytes / charsPerStep;
  const asideDigest = parts.aside && digestOfBytes("input", parts.aside);
  yield bytes / charsPerStep;
  return { paths, parts, asideDigest, verdict: yield* scrubbed(verdict, texts) };
}

/** What stood where marks stand, as far as a call that is asked again holds it. */
export function* restore(
  redacted: JsonObject,
  { input, context }: Call,
  paths: readonly string[],
  marks: Marks,
): Steps<JsonObject> {
  const all: Named[] = [];
  yield* named("input", input.value, paths, all);
  yield* named("context", context.value, paths, all);
  const values = all.map(({ value }) => value);
  // What quotes a redacted text is marked as a whole, wherever it stood.
  const known = (value: Replaced) => {
    if (typeof value === "string" || typeof value === "number") values.push(value);
    return value;
  };
  rewrite(input.value, known);
  rewrite(context.value, known);
  yield values.length * visitCost;
  const byMark = new Map<string, Json>();
  for (const value of values) {
    byMark.set(markOf(marks, value), value);
    yield markCost;
  }
  // A text that a rule has built is not among them: its mark stays, and the digest tells.
  const back = (value: Replaced): Replaced => {
    const mark = typeof value === "object" && value !== null && "redacted" in value ? value.redacted : undefined;
    const held = typeof mark === "string" ? byMark.get(mark) : undefined;
    return held === undefined ? value : held;
  };
  return rewrite(redacted, back) as JsonObject;
}
