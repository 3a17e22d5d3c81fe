import type { Clock } from "../foundation/clock.ts";
import { noTurnRoom, type TurnRoom } from "../foundation/turn-room.ts";
import { rootOf } from "../identities/index.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";
import { decidingFor, type Snapshots } from "../policies/index.ts";
import { draftAlias } from "./alias.ts";
import type { Ask, Asker, WhoAsks } from "./ask.ts";
import { type Attempt, firstAttempt, givenUp, mayBeFollowed, mayStart, nextStep, type Step } from "./attempt.ts";
import { byBusinessKey, byCallId, type CallName } from "./call.ts";
import { aliasedName, createCalls } from "./calls.ts";
import type { Decision } from "./decision.ts";
import { barredAgain } from "./judge.ts";
import { storedDecision } from "./replay.ts";
import { firstOutcome } from "./report.ts";
import { withScopesRead } from "./scopes-read.ts";

/** One call on its way: what it is known by, and which of its attempts is made next. */
export interface Progress {
  readonly name: CallName;
  readonly attempt: Attempt;
  /** Whether its name is settled: a business key was looked for, or the ledger knows the call. */
  readonly named: boolean;
}

/** What becomes of a call that the ledger knows already. */
export interface KnownCalls {
  /** Records that the call's id stands for a business key; undefined when the asker's rights have changed meanwhile. */
  nameBy(asker: Asker, ask: Ask, key: string, security: bigint, withinMs: number): Promise<Progress | undefined>;
  /** From what stands in a call's way: its answer, or how to go on. */
  next(who: WhoAsks, asker: Asker, ask: Ask, record: StoredRecord, progress: Progress): Promise<Progress | Decision>;
}

export function createKnownCalls(rooms: {
  readonly snapshots: Snapshots;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Absent: nobody waits for a turn. */
  readonly turns?: TurnRoom;
}): KnownCalls {
  const { snapshots, ledger, clock, newId, turns = noTurnRoom } = rooms;
  const calls = createCalls(ledger);

  /** What stands in the way now of a call that was allowed before. The commit did not ask: it recorded nothing. */
  const barredNow = async (who: WhoAsks, ask: Ask, decision: Decision) => {
    const asker = await who(true);
    const { tenant } = asker.session;
    const held = await snapshots.current(tenant);
    const snapshot = asker.security > held.revisions.security ? await snapshots.secured(tenant) : held;
    const deciding = decidingFor(snapshot, rootOf(asker.session));
    const nowMs = clock.now();
    const asked = await withScopesRead({ turns, source: ask, snapshot: deciding, asker, nowMs }, ask);
    return barredAgain(deciding, asker, asked, decision, nowMs);
  };

  /** What a recorded attempt leads to: its answer, or the attempt after it. */
  const stepFrom = async (who: WhoAsks, ask: Ask, tenant: string, last: Decision): Promise<Step> => {
    if (!mayStart(last)) return nextStep(last, ask, clock.now());
    const bar = await barredNow(who, ask, last);
    const outcome = firstOutcome(await ledger.findBySubject(tenant, last.body.id));
    return nextStep(last, ask, clock.now(), { outcome, bar });
  };

  return {
    async nameBy(asker, ask, key, security, withinMs) {
      const nowMs = clock.now();
      const alias = draftAlias(newId(nowMs), asker, ask, key, security, nowMs);
      const recorded = await ledger.record(alias, { withinMs });
      if (recorded.outcome === "stale") return undefined;
      const progress = { attempt: firstAttempt(ask), named: true };
      if (recorded.outcome === "inserted") return { ...progress, name: byBusinessKey(key) };
      const isSame = recorded.outcome === "existing" && recorded.record.kind === "alias";
      // Else asked before the tool had a business key, given up before it arrived, or another call altogether: its own
      // first attempt will find out which.
      return { ...progress, name: isSame ? aliasedName(recorded.record) : byCallId(ask.callId) };
    },
    async next(who, { session }, ask, record, { name, attempt }) {
      if (record.kind === "alias") return { name: aliasedName(record), attempt: firstAttempt(ask), named: true };
      // Whoever gave the call up did not say what it was: the next attempt's record does, and refuses another.
      if (record.kind === "report") return { name, attempt: givenUp(ask), named: true };
      const found = await storedDecision(record);
      const later = mayBeFollowed(found) ? await calls.attempts(session, name, attempt.number + 1) : [];
      const latest = later.at(-1);
      const step = await stepFrom(who, ask, record.tenant, latest ? await storedDecision(latest) : found);
      return step.step === "answer" ? step.decision : { name, attempt: step.attempt, named: true };
    },
  };
}
