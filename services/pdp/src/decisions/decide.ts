import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import { noTurnRoom, type TurnRoom } from "../foundation/turn-room.ts";
import { rootOf } from "../identities/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  requireUsable,
  revisionReached,
  type Sides,
  type Snapshot,
  type Snapshots,
  sidesOf,
  stalePolicy,
  tooStale,
} from "../policies/index.ts";
import { type Ask, type Asker, judgedUnder, type WhoAsks } from "./ask.ts";
import { type Attempt, firstAttempt } from "./attempt.ts";
import type { Breakers } from "./breakers.ts";
import type { createBudgetFacts } from "./budget-facts.ts";
import { businessKey, byCallId, type CallName } from "./call.ts";
import { type Asked, type Charged, type Charging, UNDECLARED } from "./charging.ts";
import type { Decision } from "./decision.ts";
import { digestEntry } from "./digest-entry.ts";
import { type DecisionDraft, writeDecision } from "./entry.ts";
import type { Judged } from "./finding.ts";
import { judgeAttempt } from "./judge.ts";
import { createKnownCalls, type Progress } from "./known-call.ts";
import type { RecentDecisions } from "./recent.ts";
import type { Redaction } from "./redaction.ts";
import { withScopes } from "./scopes-read.ts";
import type { Shortage } from "./shortage.ts";
import { judgeAlong } from "./sides.ts";

/** Whose calls are decided in the order in which they came. */
type Source = object | string;

/** A call that is outrun by security changes, or by twins of its own, this many times in a row is given up. */
const TRIES_MAX = 8;

export interface DecideRooms {
  readonly snapshots: Snapshots;
  readonly ledger: Ledger;
  readonly redaction: Redaction;
  readonly breakers: Breakers;
  readonly charging: Charging;
  readonly budgetFacts: ReturnType<typeof createBudgetFacts>;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Told of what is recorded. Absent: nobody remembers it. */
  readonly recent?: RecentDecisions;
  /** Absent: nobody waits for a turn. */
  readonly turns?: TurnRoom;
}

/** Refuses what would be decided by what may be too old. */
function refuseStale(snapshots: Snapshots, snapshot: Snapshot, tool: string): Snapshot {
  const stalenessMs = snapshots.stalenessMs(snapshot.tenant);
  if (tooStale(stalenessMs, snapshot.tools.get(tool)?.document.spec.risk)) throw stalePolicy(stalenessMs);
  return snapshot;
}

/** The snapshot to decide by, at least as new as the caller asks. */
async function snapshotFor(snapshots: Snapshots, tenant: string, ask: Ask): Promise<Snapshot> {
  const { minRevision } = ask;
  const newest = await (minRevision === 0n ? snapshots.current(tenant) : snapshots.reach(tenant, minRevision));
  if (revisionReached(newest) >= minRevision) return requireUsable(newest);
  throw new Fault("unavailable", "stale_policy", `revision ${ask.minRevision} has not been reached`, {
    field: "min_revision",
    limit: `${revisionReached(newest)}`,
    fix: "ask for a revision that an answer named",
  });
}

/** The call with what was answered in all of its attempts, and what its policies read of budgets. */
function askedAs(ask: Ask, { answers }: Attempt, budgets: Ask["budgets"]): Ask {
  return answers === ask.answers && !budgets ? ask : { ...ask, answers, ...(budgets && { budgets }) };
}

/**
 * The call as it is judged: with what marks keys of its accounts, and what is read of budgets and of its scopes. At once
 * where all is known.
 */
function prepared(
  { redaction, budgetFacts, turns = noTurnRoom }: Pick<DecideRooms, "redaction" | "budgetFacts" | "turns">,
  source: Source,
  snapshot: Snapshot,
  asker: Asker,
  ask: Ask,
  attempt: Attempt,
  withinMs: number,
  nowMs: number,
): Ask | Promise<Ask> {
  const scoped = (known: Ask) => withScopes({ turns, source, snapshot, asker, nowMs }, known);
  const finish = (keyed: Ask) => {
    const read = budgetFacts(snapshot, asker, keyed, withinMs);
    if (read instanceof Promise) return read.then((budgets) => scoped(askedAs(keyed, attempt, budgets)));
    return scoped(askedAs(keyed, attempt, read));
  };
  const keyed = redaction.keyed(snapshot, ask);
  return keyed instanceof Promise ? keyed.then(finish) : finish(keyed);
}

/** Judges a call, and tells how long that held the thread. */
function judgedBy(turns: TurnRoom, ...parts: Parameters<typeof judgeAttempt>): Judged {
  const beganMs = performance.now();
  const judged = judgeAttempt(...parts);
  turns.took(performance.now() - beganMs);
  return judged;
}

/** The same by the side of its session, and along by the other, in a turn of its own where the first took long. */
async function judgedOnSide(turns: TurnRoom, source: Source, sides: Sides, asked: Attempted): Promise<Judged> {
  const judged = judgedBy(turns, sides.decides, ...asked);
  if (turns.full) await turns.enter(source);
  const beganMs = performance.now();
  const along = judgeAlong(sides, judged, ...asked);
  turns.took(performance.now() - beganMs);
  return along;
}

type Attempted = [asker: Asker, ask: Ask, attempt: Attempt, nowMs: number];

const judgedIn = (turns: TurnRoom, source: Source, sides: Sides | undefined, snapshot: Snapshot, asked: Attempted) =>
  sides ? judgedOnSide(turns, source, sides, asked) : judgedBy(turns, snapshot, ...asked);

/** What a call owes its budgets, where it owes anything. There may be as many to look at as a tenant has. */
function charge(
  { charging, turns = noTurnRoom }: Pick<DecideRooms, "charging" | "turns">,
  source: Source,
  asked: Asked,
  short: Shortage | undefined,
): Charged | undefined | Promise<Charged | typeof UNDECLARED | undefined> {
  if (!charging.concerns(asked.snapshot, asked.attempt, asked.asker.session)) return undefined;
  if (!turns.full) return charging.charge(asked, short);
  return turns.enter(source).then(() => charging.charge(asked, short));
}

type Said = Parameters<typeof writeDecision>;

/** The same of writing what was decided. */
function write(turns: TurnRoom, source: Source, said: Said): DecisionDraft | Promise<DecisionDraft> {
  const writeNow = () => {
    const beganMs = performance.now();
    const { text, draft } = writeDecision(...said);
    const digested = digestEntry(text, turns, source);
    turns.took(performance.now() - beganMs);
    return digested instanceof Promise ? digested.then(draft) : draft(digested);
  };
  return turns.full ? turns.enter(source).then(writeNow) : writeNow();
}

function outrun(): Fault {
  return new Fault("unavailable", "stale_policy", "the tenant's security settings kept changing", {
    fix: "ask again with the same call_id",
  });
}

function callIdReused(callId: string, name: CallName): Fault {
  if (name.kind === "business") {
    return new Fault("conflict", "call_id_reused", "this business key was asked before with another input", {
      field: "input",
      fix: "a call that the tool's idempotentOn makes the same must have the same input",
    });
  }
  return new Fault("conflict", "call_id_reused", `call ${callId} was asked before with another tool or input`, {
    field: "call_id",
    fix: "give every call of a session an id of its own",
  });
}

/**
 * Decides one call. The order of these steps is the safety argument:
 * who asks → under which policies → the verdict → what it owes its budgets → its record, which holds that → the answer.
 * Nothing is held that policies refuse, and nothing is answered before it is recorded. What was judged before a security
 * change is judged again; so is what its budgets did not let in, and then it is denied.
 *
 * The first attempt is recorded without a look: its key is unique, and whoever comes second, on whichever replica,
 * finds what was recorded and goes on from there (`attempt.ts`).
 */
export function createDecide(rooms: DecideRooms): (who: WhoAsks, ask: Ask, source?: Source) => Promise<Decision> {
  const { snapshots, ledger, redaction, breakers, charging, clock, newId, recent, turns = noTurnRoom } = rooms;
  const knownCalls = createKnownCalls(rooms);

  return async (who, ask, source = ask) => {
    const giveUpAtMs = performance.now() + ask.withinMs;
    let progress: Progress = { name: byCallId(ask.callId), attempt: firstAttempt(ask), named: false };
    let short: Shortage | undefined;
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      const asker = await who();
      const { tenant } = asker.session;
      const newest = await snapshotFor(snapshots, tenant, ask);
      const sides = newest.rollout && sidesOf(newest, newest.rollout, rootOf(asker.session));
      const snapshot = refuseStale(snapshots, sides ? sides.decides : newest, ask.tool);
      const withinMs = Math.max(0, giveUpAtMs - performance.now());

      const key = progress.named ? undefined : businessKey(snapshot.tools.get(ask.tool)?.document, ask);
      if (key !== undefined) {
        const security = judgedUnder(asker, snapshot.revisions);
        progress = (await knownCalls.nameBy(asker, ask, key, security, withinMs)) ?? progress;
        if (!progress.named) await snapshots.secured(tenant);
        if (!progress.named) continue;
      }

      const { name } = progress;
      const nowMs = clock.now();
      const looked = breakers.look(snapshot, asker, ask, name, nowMs);
      const stopping = looked instanceof Promise ? await looked : looked;
      const attempt = stopping ? { ...progress.attempt, stopping } : progress.attempt;
      const preparing = prepared(rooms, source, snapshot, asker, ask, attempt, withinMs, nowMs);
      const asked = preparing instanceof Promise ? await preparing : preparing;
      // What it is judged by stays what it was when it came: the commit refuses it if that has become too old.
      if (turns.full) await turns.enter(source);
      const judging = judgedIn(turns, source, sides, snapshot, [asker, asked, attempt, nowMs]);
      const judged = judging instanceof Promise ? await judging : judging;
      const paying = charge(rooms, source, { snapshot, asker, ask: asked, attempt, judged, withinMs }, short);
      const charged = paying instanceof Promise ? await paying : paying;
      if (charged === UNDECLARED) await snapshots.refresh(tenant);
      if (charged === UNDECLARED) continue;
      const found = charged?.judged ?? judged;
      const redacting = redaction.of(snapshot, asked, found, source);
      const redacted = redacting instanceof Promise ? await redacting : redacting;
      const said: Said = [newId(nowMs), asker, asked, found, snapshot, nowMs, name, redacted, charged?.holding];
      const writing = write(turns, source, said);
      const draft = writing instanceof Promise ? await writing : writing;
      // Turns may have been waited for since.
      const recorded = await ledger.record(draft.record, { withinMs: Math.max(0, giveUpAtMs - performance.now()) });

      switch (recorded.outcome) {
        case "inserted":
          charging.recorded(found, recorded.balances);
          recent?.keep({ tenant, session: asker.session.id, security: draft.record.securityRevision }, draft.decision);
          return { ...draft.decision, record: recorded.ref, replayed: false };
        case "stale":
          await snapshots.secured(tenant);
          continue;
        case "short":
          short = charging.short(snapshot, charged?.holding, recorded.shorts, nowMs, tried >= TRIES_MAX - 2);
          continue;
        case "gone":
          progress = { ...progress, attempt: { ...progress.attempt, held: undefined } };
          continue;
        case "reused":
          if (recorded.record.kind !== "report") throw callIdReused(ask.callId, name);
      }
      const next = await knownCalls.next(who, asker, ask, recorded.record, progress);
      if ("body" in next) return redaction.whole(next, tenant, ask, judged.verdict.transformedInput);
      progress = next;
    }
    throw outrun();
  };
}
