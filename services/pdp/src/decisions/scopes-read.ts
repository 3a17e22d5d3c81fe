import { readScopes, type Scope, type ScopesRead } from "@remit/engine";
import { Canonical, canonical } from "../foundation/canonical.ts";
import { finishInTurns, type Steps } from "../foundation/steps.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { scopesOf } from "./chain.ts";

/** What many scopes that bind a call come to, made before it is judged. */
export interface PreparedScopes {
  /** What they say of its tool. */
  readonly read: ScopesRead;
  /** As its entry has them, where it gets one. */
  readonly written?: Canonical;
}

/** Costs in units of ten microseconds. */
const VALUE_COST = 0.02;
const CHAR_COST = 0.0004;
/** What is done between two steps of writing. */
const STEP_COST = 5;

// Only of scopes that are many, or long: they are in every entry of whom they bind.
const writtenScopes = new WeakMap<Scope, string>();

const valuesOf = (item: unknown) =>
  typeof item === "object" && item !== null && "in" in item && Array.isArray(item.in) ? item.in.length : 1;

function* writeList(list: readonly unknown[]): Steps<string> {
  const parts: string[] = [];
  let cost = 0;
  for (const item of list) {
    const text = canonical(item as never);
    parts.push(text);
    cost += valuesOf(item) * VALUE_COST + text.length * CHAR_COST;
    if (cost < STEP_COST) continue;
    yield cost;
    cost = 0;
  }
  yield cost;
  return `[${parts.join(",")}]`;
}

function* writeScope(scope: Scope): Steps<string> {
  const before = writtenScopes.get(scope);
  if (before !== undefined) return before;
  const members: string[] = [];
  for (const [key, value] of Object.entries(scope).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (value === undefined) continue;
    const text = Array.isArray(value) ? yield* writeList(value) : canonical(value);
    members.push(`${canonical(key)}:${text}`);
  }
  const written = `{${members.join(",")}}`;
  writtenScopes.set(scope, written);
  return written;
}

/** The canonical form of a list of scopes. */
export function* writeScopes(scopes: readonly Scope[]): Steps<Canonical> {
  const parts: string[] = [];
  for (const scope of scopes) {
    const text = yield* writeScope(scope);
    parts.push(text);
    yield VALUE_COST + text.length * 0.00002;
  }
  return new Canonical(`[${parts.join(",")}]`);
}

function* prepareScopes(scopes: readonly Scope[], reading: Steps<ScopesRead>): Steps<PreparedScopes> {
  const read = yield* reading;
  return { read, written: yield* writeScopes(scopes) };
}

function* onlyRead(_scopes: readonly Scope[], reading: Steps<ScopesRead>): Steps<PreparedScopes> {
  return { read: yield* reading };
}

type WithScopes = (
  turns: TurnRoom,
  source: object | string,
  snapshot: Snapshot,
  asker: Asker,
  ask: Ask,
) => Ask | Promise<Ask>;

const preparing =
  (prepare: typeof prepareScopes): WithScopes =>
  (turns, source, snapshot, { session }, ask) => {
    const binding = scopesOf(snapshot, session);
    const reading = readScopes(binding, ask.tool);
    if (!reading) return ask;
    const prepared = finishInTurns(prepare(binding, reading), turns, source);
    return prepared instanceof Promise ? prepared.then((scopes) => ({ ...ask, scopes })) : { ...ask, scopes: prepared };
  };

/**
 * The call with what the scopes that bind it come to. At once, and as it is, where they are as short as most; a principal
 * may be a member of very many groups that have a ceiling each, and then that is made in turns of its own.
 */
export const withScopes = preparing(prepareScopes);

/** The same where no entry is written. */
export const withScopesRead = preparing(onlyRead);
