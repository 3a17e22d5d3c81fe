import { permitsAll, type Scope, type ScopesRead, type ToolScope } from "@remit/engine";
import { Canonical, canonical } from "../foundation/canonical.ts";
import { digestOfPieces } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Steps } from "../foundation/steps.ts";

/** Costs in units of ten microseconds. */
const SCOPE_COST = 0.05;
const VALUE_COST = 0.02;
const CHAR_COST = 0.0008;
/** What is done between two steps of writing. */
const STEP_COST = 5;

/** About what a part of a scope has at least: shorter ones are told whole. */
const PART_BYTES = 256;

/** Of one scope: what it says of other tools is written anew. Most say the same of all tools that a glob names. */
const PARTS_KEPT_MAX = 4;

/** What a scope says of tools, as entries have it. */
interface Part {
  readonly ofTool: ToolScope;
  readonly text: string;
  readonly bytes: number;
}

/** What entries say of a scope, whatever is called. */
interface Whole {
  readonly digest: string;
  readonly bytes: number;
  /** Its canonical form, where an entry may hold that. */
  readonly text: string | undefined;
}

// A session keeps its scope object from call to call, and a tenant those of its groups from load to load.
const wholes = new WeakMap<Scope, Whole>();
const parts = new WeakMap<Scope, Part[]>();

/** The machine puts texts side by side and copies them once somebody reads: what stays in use is a piece, not its parts. */
const flat = (piece: string): string => {
  piece.charCodeAt(0);
  return piece;
};

const valuesOf = (item: unknown) =>
  typeof item === "object" && item !== null && "in" in item && Array.isArray(item.in) ? item.in.length : 1;

function* writeList(list: readonly unknown[], add: (piece: string) => void): Steps<void> {
  let piece = "[";
  let cost = 0;
  for (const [at, item] of list.entries()) {
    const text = canonical(item as never);
    piece += at === 0 ? text : `,${text}`;
    cost += valuesOf(item) * VALUE_COST + text.length * CHAR_COST;
    if (cost < STEP_COST) continue;
    add(flat(piece));
    yield cost;
    piece = "";
    cost = 0;
  }
  add(flat(`${piece}]`));
  yield cost;
}

/** The canonical form of a scope, piece by piece. */
function* writeScope(scope: Scope, add: (piece: string) => void): Steps<void> {
  let before = "{";
  for (const [key, value] of Object.entries(scope).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (value === undefined) continue;
    const name = `${before}${canonical(key)}:`;
    before = ",";
    if (Array.isArray(value)) {
      add(name);
      yield* writeList(value, add);
    } else add(name + canonical(value));
  }
  add("}");
}

function* wholeOf(scope: Scope): Steps<Whole> {
  const digesting = digestOfPieces("scope");
  let bytes = 0;
  let pieces: string[] = [];
  yield* writeScope(scope, (piece) => {
    digesting.take(piece);
    bytes += Buffer.byteLength(piece);
    if (bytes <= limits.entryScopesBytesMax) pieces.push(piece);
    else pieces = [];
  });
  const text = bytes <= limits.entryScopesBytesMax ? pieces.join("") : undefined;
  const whole: Whole = { digest: digesting.digest(), bytes, text };
  wholes.set(scope, whole);
  return whole;
}

/**
 * What a scope says of one tool, as a scope: of its globs the first that names the tool, of its bounds those that do.
 * `toolsToo`: all of its globs, which whoever is outside is told.
 */
function partOf(scope: Scope, { glob, bounds }: ToolScope, { digest }: Whole, toolsToo: boolean): Scope {
  const tools = glob === undefined ? (toolsToo ? scope.tools : []) : [glob];
  const [all, kept] = [scope.bounds?.length ?? 0, bounds.length];
  const isWhole = tools.length === scope.tools.length && kept === all;
  return {
    ...scope,
    tools,
    ...(scope.bounds && { bounds: bounds.map(({ bound }) => bound) }),
    ...(!isWhole && { partOf: { digest, tools: scope.tools.length, bounds: all } }),
  };
}

const saysTheSame = (one: ToolScope, other: ToolScope): boolean =>
  one === other ||
  (one.glob === other.glob &&
    one.bounds.length === other.bounds.length &&
    one.bounds.every((bound, at) => bound === other.bounds[at]));

function* writePart(scope: Scope, ofTool: ToolScope, whole: Whole, isFirstOutside: boolean): Steps<Part> {
  const known = parts.get(scope) ?? [];
  const before = known.find((part) => saysTheSame(part.ofTool, ofTool));
  if (before) return before;
  const pieces: string[] = [];
  yield* writeScope(partOf(scope, ofTool, whole, isFirstOutside), (piece) => pieces.push(piece));
  const text = pieces.join("");
  const part: Part = { ofTool, text, bytes: Buffer.byteLength(text) };
  // Where the tool is outside, it is the place among the others that says what is told.
  if (ofTool.glob !== undefined) parts.set(scope, [part, ...known].slice(0, PARTS_KEPT_MAX));
  return part;
}

/** Those that whoever judges by them comes to: a call by which a whole evaluation is used up is denied there. */
function reached(scopes: readonly Scope[], { of }: ScopesRead): readonly Scope[] {
  const beyond = scopes.findIndex((scope) => !(permitsAll(scope) || of.has(scope)));
  return beyond === -1 ? scopes : scopes.slice(0, beyond);
}

function tooLong(tool: string): Fault {
  const message = `the scopes that bind the session say more of the tool ${tool} than an entry can hold`;
  return new Fault("precondition", "scopes_too_long", message, {
    limit: `${limits.toolScopesBytesMax} bytes`,
    fix: "have the ceilings of its agents and of its principal's groups made shorter",
  });
}

/**
 * The canonical form of scopes as the entry of a call has them. Whole, where they are as short as most; else each of them as
 * far as it concerns the call's tool, with the digest of all of it: enough to judge the call again, to the step.
 */
export function* writeScopes(binding: readonly Scope[], read: ScopesRead): Steps<Canonical> {
  const scopes = reached(binding, read);
  let bytes = 0;
  const told: Whole[] = [];
  for (const scope of scopes) {
    const whole = wholes.get(scope) ?? (yield* wholeOf(scope));
    told.push(whole);
    bytes += whole.bytes;
    yield SCOPE_COST;
  }
  if (bytes <= limits.entryScopesBytesMax) return listOf(told.map(({ text = "" }) => text));
  const texts: string[] = [];
  let isOutside = false;
  bytes = 0;
  for (const [at, scope] of scopes.entries()) {
    const [whole, ofTool] = [told[at], read.of.get(scope)];
    const isLong = whole !== undefined && whole.bytes > PART_BYTES;
    const part: Part | undefined = isLong && ofTool ? yield* writePart(scope, ofTool, whole, !isOutside) : undefined;
    if (ofTool && ofTool.glob === undefined) isOutside = true;
    texts.push(part?.text ?? whole?.text ?? "");
    bytes += part?.bytes ?? whole?.bytes ?? 0;
    if (bytes > limits.toolScopesBytesMax) throw tooLong(read.tool);
    yield SCOPE_COST;
  }
  return listOf(texts);
}

const listOf = (texts: readonly string[]) => new Canonical(`[${texts.join(",")}]`);
