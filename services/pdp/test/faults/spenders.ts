import { type ServiceError, status } from "@grpc/grpc-js";
import { Effect } from "@remit/proto/common";
import { type DecideResponse, Outcome } from "@remit/proto/decision";
import { formatAmount, parseAmount } from "../../src/foundation/amount.ts";
import type { Purchase } from "./books-audit.ts";
import type { Answer } from "./clients.ts";
import { CAREFUL, CUSTOMERS, chargedTo, RARE, type Spending, TOOLS } from "./purse.ts";
import type { Teller } from "./teller.ts";

/** Callers who spend, and what they know of it. */
export interface Spenders {
  /** Of every call that is over or was left alone. */
  readonly purchases: readonly Purchase[];
  /** Every answer that was received, of decisions alone. */
  readonly answers: readonly Answer[];
  readonly wrong: readonly string[];
  /** Errors by code, and denials by code. */
  readonly errors: ReadonlyMap<string, number>;
  readonly denials: ReadonlyMap<string, number>;
  /** What was done, by name. */
  readonly done: ReadonlyMap<string, number>;
  /** Answers of each member so far; the last is the balancer's. */
  answered(member: number): number;
  failed(): number;
  /** Lets every call come to its end, but for those that are never reported. */
  stop(): Promise<void>;
  /** Reports some of the calls that were left alone, after all of them have run out. Answers how many. */
  reportLate(): Promise<number>;
}

export interface SpendersOptions {
  /** By member, then the balancer's connections. */
  readonly tellers: readonly (readonly Teller[])[];
  readonly sessions: readonly Spending[];
  readonly random: () => number;
  readonly callers: number;
  /** The freezes that stand acknowledged: of a budget the number of the freeze. A thaw that was sent for ends it. */
  readonly frozen: () => ReadonlyMap<string, number>;
}

interface Call {
  readonly callId: string;
  readonly session: Spending;
  readonly tool: string;
  readonly customer: string;
  readonly waits: number;
  readonly estimate: bigint;
  readonly answers: Map<number, Purchase["answers"][number]>;
  readonly ids: Map<number, string>;
  spent: Purchase["spent"];
}

const UNDER_FAULTS = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];
const SHARES = { raced: 0.08, again: 0.08, leftAlone: 0.07, abandoned: 0.03, rare: 0.08, twice: 0.15, revived: 0.1 };
const DENIED_KEPT = 200;
const outcomeName = (outcome: Outcome) =>
  Object.entries(Outcome)
    .find(([, value]) => value === outcome)?.[0]
    .toLowerCase() ?? "?";

const microsOf = (amount: { unit: string; value: string } | undefined) =>
  parseAmount(amount?.unit ?? "EUR", amount?.value ?? "0", "amount").micros;

/** What became of a call that ran, and what its caller will say: `micros` undefined says nothing of the amount. */
interface Ending {
  readonly outcome: Outcome;
  readonly actual: bigint | undefined;
  readonly spent: NonNullable<Purchase["spent"]>;
}

export function startSpenders({ tellers, sessions, random, callers, frozen }: SpendersOptions): Spenders {
  const calls: Call[] = [];
  const denied: Call[] = [];
  const answers: Answer[] = [];
  const wrong: string[] = [];
  const [errors, denials, done] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const perMember = tellers.map(() => 0);
  let [over, failures] = [false, 0];
  const bump = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;

  /** Says something to any member until it is heard. */
  const until = async <Value>(what: string, say: (teller: Teller) => Promise<Value>): Promise<Value> => {
    for (;;) {
      const heard = await once(what, say);
      if (heard) return heard;
    }
  };
  const once = async <Value>(what: string, say: (teller: Teller) => Promise<Value>): Promise<Value | undefined> => {
    const member = Math.floor(random() * tellers.length);
    try {
      const answer = await say(pick(tellers[member] ?? []));
      perMember[member] = (perMember[member] ?? 0) + 1;
      return answer;
    } catch (error) {
      const { code, details } = error as ServiceError;
      failures++;
      bump(errors, status[code] ?? String(error));
      if (!UNDER_FAULTS.includes(code)) {
        wrong.push(`${what} failed with ${status[code] ?? error}: ${details}`);
        throw error;
      }
      return undefined;
    }
  };

  const note = (call: Call, answer: DecideResponse, before: ReadonlyMap<string, number>) => {
    const { decisionId, attempt, effect, record, replayed, reason, holds } = answer;
    answers.push({ decisionId, epoch: record?.epoch ?? 0n, n: record?.n ?? 0n });
    const earlier = call.ids.get(attempt);
    if (earlier !== undefined && earlier !== decisionId) wrong.push(`${call.callId} was answered in two ways`);
    call.ids.set(attempt, decisionId);
    if (effect === Effect.DENY) bump(denials, reason?.code ?? "?");
    // What was answered before is not told again as it was once it may not start any more.
    const over = effect === Effect.DENY && ["already_executed", "decision_expired"].includes(reason?.code ?? "");
    const allowed = effect === Effect.ALLOW;
    if (!over && !call.answers.has(attempt)) {
      const held = holds.map(({ budget, amount }) => ({ budget, micros: microsOf(amount) }));
      call.answers.set(attempt, { decisionId, attempt, allowed, holds: held });
    }
    if (!allowed || replayed) return;
    const now = frozen();
    for (const { budget } of chargedTo(call.session, call)) {
      const freeze = before.get(budget);
      if (freeze !== undefined && now.get(budget) === freeze) {
        wrong.push(`${call.callId} was asked and allowed while ${budget} was frozen`);
      }
    }
  };
  const ask = async (call: Call, answersGiven = 0): Promise<DecideResponse> => {
    const { callId, tool, customer, waits, estimate } = call;
    const given =
      answersGiven === 0
        ? {}
        : { answers: { case: "answersJson", value: Buffer.from(JSON.stringify({ given: answersGiven })) } as const };
    const before = call.ids.size === 0 ? new Map(frozen()) : new Map<string, number>();
    const answer = await until(callId, (teller) =>
      teller.decide(
        {
          ...{ callId, tool, estimate: [{ unit: "EUR", value: formatAmount(estimate) }], ...given },
          input: { case: "inputJson", value: Buffer.from(JSON.stringify({ customer, waits })) },
        },
        call.session.metadata,
      ),
    );
    note(call, answer, before);
    return answer;
  };
  const askTwins = async (call: Call, answersGiven: number): Promise<DecideResponse> => {
    const twins =
      random() < SHARES.raced ? [ask(call, answersGiven), ask(call, answersGiven)] : [ask(call, answersGiven)];
    const [first, second] = await Promise.all(twins);
    if (second && second.decisionId !== first?.decisionId) {
      // One of them was late: the other's answers had made a further attempt by then.
      if (second.attempt === first?.attempt) wrong.push(`${call.callId} raced itself into two decisions`);
      return second.attempt > (first?.attempt ?? 0) ? second : (first as DecideResponse);
    }
    return first as DecideResponse;
  };

  const endingOf = ({ estimate, tool }: Call): Ending => {
    const chance = random();
    const share = (of: number) => (estimate * BigInt(Math.floor(of * 1000))) / 1000n;
    const ran = (outcome: Outcome, actual: bigint | undefined, micros = actual ?? 0n): Ending => ({
      ...{ outcome, actual, spent: { micros, calls: 1 } },
    });
    if (chance < 0.25) return ran(Outcome.SUCCEEDED, undefined, estimate);
    if (chance < 0.55) return ran(Outcome.SUCCEEDED, share(random()));
    if (chance < 0.68) return ran(Outcome.SUCCEEDED, share(1 + random()));
    if (chance < 0.7) return ran(Outcome.SUCCEEDED, share(5));
    if (chance < 0.76) return ran(Outcome.SUCCEEDED, 0n);
    if (chance < 0.84) return ran(Outcome.FAILED, undefined, 0n);
    if (chance < 0.9 || tool === RARE) return ran(Outcome.FAILED, share(random()));
    return { outcome: Outcome.NOT_EXECUTED, actual: undefined, spent: { micros: 0n, calls: 0 } };
  };
  const report = (call: Call, decisionId: string, outcome: Outcome, actual?: bigint) => {
    bump(done, outcomeName(outcome));
    const amounts = actual === undefined ? [] : [{ unit: "EUR", value: formatAmount(actual) }];
    const told = { subject: { case: "decisionId", value: decisionId } as const, outcome, actual: amounts };
    return until(`${call.callId}'s report`, (teller) => teller.report(told, call.session.metadata));
  };
  /** Reports how a call ended: to one member or two, and then perhaps otherwise, which changes nothing. */
  const settle = async (call: Call, decisionId: string, ending: Ending): Promise<void> => {
    const { outcome, actual } = ending;
    call.spent = ending.spent;
    const say = () => report(call, decisionId, outcome, actual);
    const heard = await Promise.all(random() < SHARES.twice ? [say(), say()] : [say()]);
    if (random() < SHARES.again) {
      const other = outcome === Outcome.SUCCEEDED ? Outcome.FAILED : Outcome.SUCCEEDED;
      heard.push(await report(call, decisionId, other, call.estimate * 2n));
      bump(done, "reported otherwise");
    }
    const odd = heard.find((one) => one.outcome !== outcome);
    if (odd)
      wrong.push(`${call.callId} was reported as ${outcomeName(outcome)}, and ${outcomeName(odd.outcome)} stands`);
  };
  const goOn = async (call: Call, decisionId: string): Promise<void> => {
    if (random() < SHARES.again) await report(call, decisionId, Outcome.UNKNOWN);
    if (random() < SHARES.again) await report(call, decisionId, Outcome.RUNNING);
    if (random() < SHARES.again) await ask(call);
    if (random() < SHARES.leftAlone) return void bump(done, "never reported");
    await settle(call, decisionId, endingOf(call));
    if (random() < SHARES.again) await ask(call);
  };
  /** One that its caller gives up: whatever becomes of it, nothing runs. */
  const abandon = async (call: Call): Promise<void> => {
    bump(done, "abandoned");
    const { callId, session } = call;
    const input = {
      case: "inputJson",
      value: Buffer.from(JSON.stringify({ customer: call.customer, waits: 0 })),
    } as const;
    const estimate = [{ unit: "EUR", value: formatAmount(call.estimate) }];
    const unheard = once(callId, (teller) =>
      teller.decide({ callId, tool: call.tool, input, estimate }, session.metadata),
    );
    const told = { subject: { case: "callId", value: callId } as const, outcome: Outcome.NOT_EXECUTED };
    await until(`${callId}'s end`, (teller) => teller.report(told, session.metadata));
    await unheard;
  };
  const newCall = (): Call => {
    const tool = random() < SHARES.rare ? RARE : pick(TOOLS.filter((name) => name !== RARE));
    const call: Call = {
      ...{ callId: `call-${calls.length + 1}`, session: pick(sessions), tool, customer: pick(CUSTOMERS) },
      ...{ waits: tool === CAREFUL ? Math.floor(random() * 4) : 0, answers: new Map(), ids: new Map() },
      ...{ estimate: BigInt(1 + Math.floor(random() * 3_000_000)), spent: undefined },
    };
    calls.push(call);
    return call;
  };
  const live = async (call: Call): Promise<void> => {
    let answer = await askTwins(call, 0);
    for (let given = 1; answer.effect === Effect.ESCALATE; given++) {
      if (random() < 0.2) return void bump(done, "left waiting");
      bump(done, "asked on");
      answer = await askTwins(call, given);
    }
    if (answer.effect === Effect.ALLOW) return goOn(call, answer.decisionId);
    const { code = "", retryable = false } = answer.reason ?? {};
    // Its answers were lost for so long that it may not start any more: nothing ran.
    if (code === "decision_expired") {
      call.spent = { micros: 0n, calls: 0 };
      await report(call, answer.decisionId, Outcome.NOT_EXECUTED);
    }
    if (retryable && denied.length < DENIED_KEPT) denied.push(call);
  };
  const caller = async (): Promise<void> => {
    while (!over) {
      const revived = random() < SHARES.revived ? denied.shift() : undefined;
      if (revived) bump(done, "asked later");
      if (revived) await live(revived);
      else if (random() < SHARES.abandoned) await abandon({ ...newCall(), tool: "load.plain" });
      else await live(newCall());
    }
  };

  const all = Array.from({ length: callers }, caller);
  // Told at once, not at the end.
  for (const one of all) one.catch(() => {});
  return {
    ...{ answers, wrong, errors, denials, done },
    get purchases() {
      return calls.map((call): Purchase => {
        const { callId, estimate, spent, session } = call;
        const charged = chargedTo(session, call);
        return { callId, charged, estimate, spent, answers: [...call.answers.values()] };
      });
    },
    answered: (member) => perMember[member] ?? 0,
    failed: () => failures,
    stop: async () => {
      over = true;
      await Promise.all(all);
    },
    reportLate: async () => {
      const silent = calls.flatMap((call) => {
        const allowed = [...call.answers.values()].find((one) => one.allowed);
        return allowed && !call.spent && random() < 0.5 ? [{ call, allowed }] : [];
      });
      for (const { call, allowed } of silent) await settle(call, allowed.decisionId, endingOf(call));
      return silent.length;
    },
  };
}
