import { judgeScopes, readScopes, type Scope, type ScopesRead } from "@remit/engine";
import type { Canonical } from "../foundation/canonical.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { finishInTurns, type Steps } from "../foundation/steps.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { scopesOf } from "./chain.ts";
import { writeScopes } from "./scopes-written.ts";

/** What many scopes that bind a call come to, made before it is judged by its policies. */
export interface PreparedScopes {
  /** What they say of its tool, and to the call itself. */
  readonly read: ScopesRead;
  /** As its entry has them, where it gets one. */
  readonly written?: Canonical;
}

/** Where and when a call is prepared: in turns of its own where that takes long. */
export interface Preparing {
  readonly turns: TurnRoom;
  /** Whose calls are decided in the order in which they came. */
  readonly source: object | string;
  readonly snapshot: Snapshot;
  readonly asker: Asker;
  /** What it is judged at. */
  readonly nowMs: number;
}

/** By no more bounds a call is judged while its policies are asked: in some hundredths of a millisecond. */
const JUDGED_AT_ONCE_MAX = 64;

function boundsOf({ of }: ScopesRead): number {
  let bounds = 0;
  for (const ofTool of of.values()) bounds += ofTool.bounds.length;
  return bounds;
}

/** What scopes say to a call: asked again while its policies are, and known then. */
function* judge(scopes: readonly Scope[], read: ScopesRead, preparing: Preparing, ask: Ask): Steps<ScopesRead> {
  const { snapshot, asker, nowMs } = preparing;
  const tool = snapshot.compiled.tools.get(ask.tool);
  if (!tool) return read;
  const call = { tool: ask.tool, toolLabels: tool.facts.labels, input: ask.input.value };
  return yield* judgeScopes(scopes, { ...call, principal: asker.session.principal.id, now: rfc3339(nowMs) }, read);
}

const prepare =
  (writes: boolean) =>
  (preparing: Preparing, ask: Ask): Ask | Promise<Ask> => {
    const { turns, source, snapshot, asker } = preparing;
    const scopes = scopesOf(snapshot, asker.session);
    const reading = readScopes(scopes, ask.tool);
    if (!reading) return ask;
    const steps = function* (): Steps<PreparedScopes> {
      const found = yield* reading;
      const read = boundsOf(found) > JUDGED_AT_ONCE_MAX ? yield* judge(scopes, found, preparing, ask) : found;
      return writes ? { read, written: yield* writeScopes(scopes, read) } : { read };
    };
    const prepared = finishInTurns(steps(), turns, source);
    return prepared instanceof Promise
      ? prepared.then((made) => ({ ...ask, scopes: made }))
      : { ...ask, scopes: prepared };
  };

/**
 * The call with what the scopes that bind it come to. At once, and as it is, where they are as short as most; a principal
 * may be a member of very many groups that have a ceiling each, and then that is made in turns of its own. Throws where
 * they say more of its tool than its entry can hold.
 */
export const withScopes = prepare(true);

/** The same where no entry is written. */
export const withScopesRead = prepare(false);
