import { type Behaviour, judgeCall, type RunMemory, type Stopped } from "../behaviour/index.ts";
import { digest, digestBytes } from "../foundation/digest.ts";
import { rootOf } from "../identities/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { type CallName, callKey, requestDigest } from "./call.ts";
import { type BreakerLimits, createLimitsOf } from "./limits-of.ts";
import { modeOf } from "./mode.ts";

/** Of what is only compared within one run: 48 bits. */
const SHORT_BYTES = 6;
/** The beginning of a digest, as breakers compare it. */
export const short = (bytes: Buffer) => bytes.toString("base64url", 0, SHORT_BYTES);

/** A call's tool and input, as breakers compare them. */
export const shortInput = (tool: string, inputDigest: string): string => short(requestDigest(tool, inputDigest));
/** What a call is known by in its session, as breakers compare it. */
const shortCall = (name: CallName): string => short(callKey(name, 1));
/** What a call answered, as breakers compare it; empty when that was not said. */
export const shortOutput = (outputDigest: string): string =>
  outputDigest === "" ? "" : short(digestBytes("entry", outputDigest));

/** That breakers would stop a call. */
export interface Stopping {
  readonly stopped: Stopped;
  readonly retryAfterMs: number;
  /** It goes on: the limits, or all that is decided of it, are only observed. */
  readonly observed: boolean;
}

/** Loops and floods are stopped before policies are asked: what is denied again and again is a loop too. */
export interface Breakers {
  /**
   * What breakers say to a call. Waits only for a run that is not in memory. Undefined: it may go on, or nobody counts
   * what is asked here.
   */
  look(
    snapshot: Snapshot,
    asker: Asker,
    ask: Ask,
    name: CallName,
    nowMs: number,
  ): Stopping | undefined | Promise<Stopping | undefined>;
}

/** `behaviour` undefined: nothing is stopped, whatever documents say. */
export function createBreakers(behaviour: Behaviour | undefined): Breakers {
  const limitsOf = createLimitsOf();

  const judge = (
    memory: RunMemory,
    limits: BreakerLimits,
    { snapshot, asker, ask, name, nowMs }: Looking,
  ): Stopping | undefined => {
    const { session } = asker;
    // Most calls are the first of their tool.
    if (!behaviour || !memory.of(ask.tool)) return undefined;
    const isWatched = modeOf(snapshot, snapshot.agents.get(session.agent), ask.tool) === "observe";
    let input: string | undefined;
    const asked = {
      ...{ session: session.id, tool: ask.tool, call: shortCall(name) },
      input: () => {
        input ??= shortInput(ask.tool, digest("input", ask.input.canonical));
        return input;
      },
    };
    const at = { nowMs, resetMs: behaviour.resetMs(session.tenant, rootOf(session), ask.tool) };
    const stopping = (stopped: Stopped | undefined, observed: boolean): Stopping | undefined =>
      stopped && { stopped, observed, retryAfterMs: Math.max(1, stopped.untilMs - nowMs) };

    if (isWatched) return stopping(judgeCall(memory, limits.watched, { ...asked, observed: true }, at), true);
    const bound = stopping(judgeCall(memory, limits.bound, { ...asked, observed: false }, at), false);
    if (bound || limits.watched === limits.bound) return bound;
    return stopping(judgeCall(memory, limits.watched, { ...asked, observed: true }, at), true);
  };

  return {
    look(snapshot, asker, ask, name, nowMs) {
      if (!behaviour) return undefined;
      const { session } = asker;
      const limits = limitsOf(snapshot, session.agent, ask.tool);
      if (!limits) return undefined;
      const run = rootOf(session);
      const looking = { snapshot, asker, ask, name, nowMs };
      const memory = behaviour.held(run);
      if (memory) return judge(memory, limits, looking);
      return behaviour.load(session.tenant, run, nowMs).then((loaded) => judge(loaded, limits, looking));
    },
  };
}

interface Looking {
  readonly snapshot: Snapshot;
  readonly asker: Asker;
  readonly ask: Ask;
  readonly name: CallName;
  readonly nowMs: number;
}
