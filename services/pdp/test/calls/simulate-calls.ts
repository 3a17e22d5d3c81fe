import { parseDocuments } from "@remit/engine";
import type { Ask, Asker, Told } from "../../src/decisions/ask.ts";
import { createBreakers } from "../../src/decisions/breakers.ts";
import { createDecide } from "../../src/decisions/decide.ts";
import type { Decision } from "../../src/decisions/decision.ts";
import { createRedaction } from "../../src/decisions/redaction.ts";
import { bodyOf } from "../../src/decisions/replay.ts";
import { createReport } from "../../src/decisions/report.ts";
import { settableClock } from "../../src/foundation/clock.ts";
import { Fault } from "../../src/foundation/fault.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { strictObject } from "../../src/foundation/strict-json.ts";
import { createSnapshots, type PolicyStore } from "../../src/policies/index.ts";
import { createScheduler, seeded } from "../ledger/scheduler.ts";
import { noBudgets } from "../support/no-budgets.ts";
import { type CallRules, createCallLedger } from "./ledger-in-memory.ts";

const START_MS = Date.parse("2026-03-01T09:00:00Z");
const CALLS = 6;
const ASKED = 60;
const TURNS_MAX = 20_000;

const DOCUMENTS = `apiVersion: remit/v1
kind: Tool
metadata: { name: read }
spec: { risk: read }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: ask }
spec: { risk: write }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: pay }
spec: { risk: write, idempotentOn: [invoice] }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: wait }
spec: { risk: write }
---
apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec:
  rules:
    - { id: plain, match: { tools: [read, pay] }, effect: allow }
    - id: asks
      match: { tools: [ask] }
      unless: present(answers.why) && answers.why == "cake"
      effect: clarify
      questions: [{ id: why, type: string, ask: Why? }]
    - id: waits
      match: { tools: [wait] }
      effect: escalate
      approval: { approvers: ["group:leads"], expires: 1m }
`;

function policyStore(): Pick<PolicyStore, "load" | "read" | "revisions" | "fingerprint"> {
  const { documents } = parseDocuments([{ file: "house.yaml", text: DOCUMENTS }]);
  const digest = `sha256:${"0".repeat(64)}`;
  const rows = {
    revisions: { security: 1n, policy: 1n },
    settings: {
      status: "active" as const,
      mode: "enforce" as const,
      observeAgents: [],
      quotas: {},
      unbudgeted: "allow" as const,
    },
    policies: documents.policies.map((document) => ({ document, version: 1, digest })),
    tools: documents.tools.map((document) => ({ document, digest })),
    agents: [
      {
        digest,
        document: {
          apiVersion: "remit/v1" as const,
          kind: "Agent" as const,
          metadata: { name: "clerk" },
          spec: { ceiling: { tools: ["*"] }, status: "active" as const },
        },
      },
    ],
    ...{ budgets: [], groups: [], revocations: [] },
  };
  return {
    read: () => Promise.reject(new Error("nothing is left out")),
    fingerprint: () => Promise.reject(new Error("nobody compares here")),
    load: async () => rows,
    revisions: async () => rows.revisions,
  };
}

const asker: Asker = {
  security: 1n,
  caller: {
    ...{ id: "caller", tenant: "t", name: "checkout", roles: [], agents: ["*"] },
    ...{ mayAssertPrincipals: false, revoked: false, createdAtMs: START_MS },
  },
  session: {
    ...{ id: "session", tenant: "t", agent: "clerk", purpose: "", scope: undefined, labels: {}, runId: undefined },
    ...{ state: "open", parent: undefined, ancestors: [], depth: 0, openedBy: "caller", details: {} },
    ...{ principal: { id: "mia", verified: false, labels: {} } },
    ...{ openedAtMs: START_MS, expiresAtMs: START_MS + 86_400_000 },
  },
};

const pick = <Value>(random: () => number, from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;

/** What a caller was answered. */
interface Seen {
  readonly callId: string;
  readonly decision: Decision;
  /** Reports that had been acknowledged when this was asked. */
  readonly knewOf: ReadonlySet<string>;
  /** The greatest attempt of this id that had been answered then. */
  readonly knewAttempt: number;
}

function anAsk(random: () => number): Ask {
  const number = Math.floor(random() * CALLS);
  const tool = pick(random, ["read", "ask", "pay", "wait"]);
  // Mostly what the call was asked with before: its tool and input follow from its id.
  const usual = ["read", "ask", "pay", "wait"][number % 4] ?? "read";
  const input = { invoice: `i-${Math.floor(number / 4)}`, of: random() < 0.1 ? "another" : "one" };
  return {
    ...{ callId: `call-${number}-${Math.floor(random() * 2)}`, tool: random() < 0.9 ? usual : tool },
    ...{ input: strictObject(input, "input"), context: strictObject({}, "context") },
    answers: strictObject(random() < 0.3 ? { why: pick(random, ["cake", "tea"]) } : {}, "answers"),
    ...{ estimate: [], schemaDigest: "", approvalId: "", supportedConstraints: [], wantPermit: false },
    ...{ minRevision: 0n, traceId: "", withinMs: 1_000 },
  };
}

const aReport = (subject: Told["subject"], outcome: Told["outcome"]): Told => ({
  ...{ subject, outcome, actual: [], inputDigest: "", outputDigest: "", labels: [] },
  ...{ startedAtMs: undefined, durationMs: undefined, traceId: "" },
});

export interface SimulatedCalls {
  readonly violations: string[];
  /** How often each kind of answer was given. */
  readonly seen: Map<string, number>;
}

interface Entry {
  readonly id: string;
  readonly tool: string;
  readonly attempt: number;
  readonly effect: string;
  readonly input_digest: string;
  readonly answers: Readonly<Record<string, string>>;
  readonly call: { readonly id: string; readonly business_key?: string };
}

/** What must hold of the entries, whatever happened. */
function checkEntries(entries: readonly Entry[], givenUp: ReadonlySet<string>): string[] {
  const wrong: string[] = [];
  const byCall = Map.groupBy(entries, ({ call }) => call.business_key ?? call.id);
  for (const [call, attempts] of byCall) {
    const numbers = attempts.map(({ attempt }) => attempt).sort((a, b) => a - b);
    const first = givenUp.has(call) ? 2 : 1;
    if (numbers.some((number, at) => number !== first + at)) wrong.push(`${call} has the attempts ${numbers}`);
    if (attempts.filter(({ effect }) => effect === "allow").length > 1) wrong.push(`${call} was allowed twice`);
    if (new Set(attempts.map(({ input_digest: input, tool }) => tool + input)).size > 1) {
      wrong.push(`${call} is two calls`);
    }
    const ordered = [...attempts].sort((a, b) => a.attempt - b.attempt);
    ordered.forEach(({ answers }, at) => {
      const before = Object.keys(ordered[at - 1]?.answers ?? {});
      if (before.some((id) => !(id in answers))) wrong.push(`${call} forgot an answer`);
    });
  }
  for (const [id, meant] of Map.groupBy(entries, ({ call }) => call.id)) {
    if (new Set(meant.map(({ input_digest: input, tool }) => tool + input)).size > 1)
      wrong.push(`${id} meant two calls`);
  }
  return wrong;
}

/** What must hold of the answers: one that lets a tool run is about a call that nobody knew to be over. */
function checkAnswers(seen: readonly Seen[], entries: ReadonlyMap<string, Entry>): string[] {
  const wrong: string[] = [];
  const allowed = new Map<string, string>();
  for (const { callId, decision, knewOf, knewAttempt } of seen) {
    if (decision.body.attempt < knewAttempt) wrong.push(`${callId} was answered an attempt that was over`);
    if (decision.body.effect !== "allow") continue;
    const entry = entries.get(decision.body.id);
    const call = entry?.call.business_key ?? callId;
    if (entry?.effect !== "allow") wrong.push(`${callId} was allowed by what is not recorded so`);
    if (knewOf.has(callId) || knewOf.has(decision.body.id)) wrong.push(`${callId} was allowed after its report`);
    if ((allowed.get(call) ?? decision.body.id) !== decision.body.id)
      wrong.push(`${callId} was allowed as two decisions`);
    allowed.set(call, decision.body.id);
  }
  return wrong;
}

/** One schedule of two replicas, their callers and what befalls them: everything follows from the seed. */
export async function simulateCalls(seed: number, rules: CallRules): Promise<SimulatedCalls> {
  const random = seeded(seed);
  const scheduler = createScheduler(random, 0);
  const store = createCallLedger(rules, scheduler.step);
  const clock = settableClock(START_MS);
  let ids = 0;
  const rooms = {
    ...{ ledger: store.ledger, clock, newId: () => `id-${++ids}`, onMismatch: () => {}, onLate: () => {} },
    charging: noBudgets,
    budgetFacts: () => undefined,
    snapshots: createSnapshots({ store: policyStore(), clock: { now: () => 0 }, log: silentLog }),
  };
  // The keys alone tell the replicas' decisions apart: nothing is remembered between calls.
  const redaction = createRedaction(() => {
    throw new Error("no tool redacts anything here");
  });
  const decide = createDecide({ breakers: createBreakers(undefined), ...rooms, redaction });
  const report = createReport(rooms);
  const who = async () => asker;
  const reported = new Set<string>();
  const seen: Seen[] = [];
  const answered = new Map<string, number>();
  const kinds = new Map<string, number>();
  const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const failed = (error: unknown) => count(error instanceof Fault ? error.reason : String(error));
  const untold: string[] = [];
  /** A report may find the ledger away; that it can never be recorded is something else. */
  const notTold = (error: unknown) => {
    failed(error);
    if (error instanceof Fault && error.cause === undefined && error.message.includes("report could not be recorded")) {
      untold.push("a report could not be recorded");
    }
  };

  /** Whoever gives up under another id of a business key gives up for itself alone. */
  const askedAs = (decisionId: string) => {
    const record = store.records.find(({ id }) => id === decisionId);
    return record && (bodyOf(record).call as { readonly id: string }).id;
  };
  const tell = async (callId: string, told: Told) => {
    const { decisionId } = await report(who, told);
    // By its call's id a report is about the attempt that was the last when it came; a later one is not closed by it.
    if (decisionId === "") reported.add(callId);
    else if (told.outcome !== "not_executed" || askedAs(decisionId) === callId) reported.add(decisionId);
    count(`report: ${told.outcome}`);
  };
  const askOnce = async () => {
    const ask = anAsk(random);
    const knewOf = new Set(reported);
    const knewAttempt = answered.get(ask.callId) ?? 0;
    try {
      const decision = await decide(who, ask);
      seen.push({ callId: ask.callId, decision, knewOf, knewAttempt });
      answered.set(ask.callId, Math.max(answered.get(ask.callId) ?? 0, decision.body.attempt));
      count(`${decision.body.effect}: ${decision.body.reason.code}${decision.replayed ? ", again" : ""}`);
      if (decision.body.effect === "allow" && random() < 0.4) {
        await tell(
          ask.callId,
          aReport({ decisionId: decision.body.id }, pick(random, ["succeeded", "unknown", "running"])),
        );
      }
    } catch (error) {
      failed(error);
      // Its caller gave up and says so, as an SDK does at its deadline.
      if (random() < 0.7) await tell(ask.callId, aReport({ callId: ask.callId }, "not_executed")).catch(notTold);
    }
  };

  // Its policies are compiled in turns of the event loop, which the scheduler knows nothing of.
  await rooms.snapshots.current(asker.session.tenant);
  for (let asked = 0; asked < ASKED; ) {
    if (random() < 0.04) store.loseNextAnswer();
    if (random() < 0.02) clock.set(clock.now() + 20_000);
    if (random() < 0.3) {
      const early = random() < 0.05 && anAsk(random).callId;
      if (early) void tell(early, aReport({ callId: early }, "not_executed")).catch(notTold);
      else void askOnce();
      asked++;
    }
    await scheduler.turn();
  }
  for (let turn = 0; turn < TURNS_MAX && (await scheduler.turn()); turn++);

  const bodies = store.records.map((record) => ({ kind: record.kind, body: bodyOf(record) }));
  const early = bodies.filter(({ kind, body }) => kind === "report" && !("decision" in body));
  const givenUp = new Set(early.map(({ body }) => String(body.business_key ?? body.call_id)));
  const entries = bodies.filter(({ kind }) => kind === "decision").map(({ body }) => body as unknown as Entry);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return { violations: [...untold, ...checkEntries(entries, givenUp), ...checkAnswers(seen, byId)], seen: kinds };
}
