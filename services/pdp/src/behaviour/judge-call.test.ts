import fc from "fast-check";
import { expect, test } from "vitest";
import { type CallLimits, NO_CALL_LIMITS, stopOf } from "./breaker.ts";
import type { BehaviourEvent, CallEvent } from "./event.ts";
import { judgeCall } from "./judge-call.ts";
import { createRunMemory } from "./memory.ts";
import { eventFrom, trailOf } from "./trail.ts";

const START_MS = Date.parse("2026-11-21T12:00:00Z");
const LIMITS: CallLimits = { identical: 3, failures: 3, denials: 3, perSecond: 5, perMinute: 20 };

/** An id of that time, as UUIDv7 are. */
const idAt = (ms: number, n: number) => {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`;
};

interface Step {
  readonly afterMs: number;
  readonly session: string;
  readonly tool: string;
  readonly input: string;
  readonly ends: "succeeded" | "failed" | "never";
  readonly policy: "let" | "denied";
}

/** Plays calls one after the other, each decided by what its predecessors left. */
function play(steps: readonly Step[], limits = LIMITS, observed = false) {
  const events: BehaviourEvent[] = [];
  const memory = createRunMemory();
  const answers: string[] = [];
  let nowMs = START_MS;
  const record = (event: BehaviourEvent) => {
    events.push(event);
    memory.add(event);
  };
  for (const [at, { afterMs, session, tool, input, ends, policy }] of steps.entries()) {
    nowMs += afterMs;
    const id = idAt(nowMs, at * 2);
    const asked = { session, tool, call: `c${at}`, input: () => input, observed };
    const stopped = judgeCall(memory, limits, asked, { nowMs, resetMs: 0 });
    answers.push(stopped ? `${stopped.measure.kind} ${stopped.level} ${stopped.untilMs}` : policy);
    const seen = { event: "call", id, atMs: nowMs, session, tool, input, call: `c${at}`, attempt: 1 } as const;
    if (stopped) {
      // The entry of a trip holds its measure and limit, and answers the same again.
      const { measure, limit, ...stop } = stopped;
      expect(stopOf(measure, limit, nowMs)).toEqual(stop);
      const { kind, reach, of } = measure;
      const trip = { kind, reach, of, level: stop.level, untilMs: stop.untilMs, observed };
      const passed = observed ? { passed: true as const } : {};
      if (stop.opened) record({ ...seen, said: "denied", trip, ...passed });
      continue;
    }
    record({ ...seen, said: policy, ...(policy === "denied" && { denial: "policy" as const }) });
    if (policy === "denied" || ends === "never") continue;
    const end = { event: "end", id: idAt(nowMs, at * 2 + 1), atMs: nowMs, session, tool, input } as const;
    record({ ...end, decision: id, outcome: ends, calledAtMs: nowMs, output: "" });
  }
  return { events, answers, memory, nowMs };
}

const step = fc.record<Step>({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom(10_000, 60_000, 700_000)),
  session: fc.constantFrom("root", "child"),
  tool: fc.constantFrom("pay", "read"),
  input: fc.constantFrom("a", "b"),
  ends: fc.constantFrom("succeeded", "failed", "never"),
  policy: fc.constantFrom("let", "let", "denied"),
});

const say = (more: Partial<Step> = {}): Step => ({
  ...{ afterMs: 1_000, session: "root", tool: "pay", input: "a", ends: "succeeded", policy: "let" },
  ...more,
});
const kindsOf = (answers: readonly string[]) => answers.map((answer) => answer.split(" ")[0]);
const times = (count: number, made: (at: number) => Step) => Array.from({ length: count }, (_, at) => made(at));

test("records read back in any order, any number of times, give every later call the same answer", () => {
  const told = (events: readonly BehaviourEvent[]) => {
    const memory = createRunMemory();
    for (const event of events) memory.add(event);
    return memory;
  };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.nat()), (steps, shuffle) => {
      const { events, memory, nowMs } = play(steps);
      const sortKey = (at: number) => shuffle[at % Math.max(1, shuffle.length)] ?? 0;
      const mixed = [...events, ...events]
        .map((event, at) => [sortKey(at), event] as const)
        .sort(([one], [other]) => one - other)
        // As they come from the store: through their trails.
        .map(([, event]) => {
          const subject = event.event === "end" ? event.decision : null;
          return eventFrom({ id: event.id, session: event.session, subject, trail: trailOf(event) });
        });
      const folded = told(mixed.flatMap((event) => event ?? []));
      for (const tool of ["pay", "read"]) {
        for (const input of ["a", "b"]) {
          for (const session of ["root", "child"]) {
            const asked = { session, tool, call: "next", input: () => input, observed: false };
            const at = { nowMs: nowMs + 1_000, resetMs: 0 };
            expect(judgeCall(folded, LIMITS, asked, at)).toEqual(judgeCall(memory, LIMITS, asked, at));
          }
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("a recorded sequence, played again, is answered the same call by call", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      expect(play(steps).answers).toEqual(play(steps).answers);
    }),
    { numRuns: 50 },
  );
});

test("without limits nothing is ever stopped", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      expect(play(steps, NO_CALL_LIMITS).answers).toEqual(steps.map(({ policy }) => policy));
    }),
    { numRuns: 50 },
  );
});

test("back-off doubles to ten minutes, and a success sets it back", () => {
  const limits = { ...NO_CALL_LIMITS, failures: 3 };
  const failing = () => say({ ends: "failed", afterMs: 0 });
  const until = (answer = "") => Number(answer.split(" ")[2]);
  const steps: Step[] = times(3, failing);
  const waits: number[] = [];
  for (let trip = 0; trip < 9; trip++) {
    const { answers, nowMs } = play([...steps, failing()], limits);
    const waitMs = until(answers.at(-1)) - nowMs;
    waits.push(waitMs / 1000);
    // It is stopped, the time passes, and the one that is let through fails again.
    steps.push(failing(), say({ ends: "failed", afterMs: waitMs }));
  }
  expect(waits).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
  const healed = [...steps, failing(), say({ afterMs: 600_000 }), ...times(4, failing)];
  const { answers, nowMs } = play(healed, limits);
  expect(until(answers.at(-1)) - nowMs).toBe(10_000);
});

test("failures of one tool are not the other's, and its success does not set them back", () => {
  const steps = times(12, (at) =>
    at % 2 === 0 ? say({ ends: "failed", input: `${at}` }) : say({ tool: "read", input: `${at}` }),
  );
  expect(kindsOf(play(steps).answers).filter((_, at) => at % 2 === 0)).toEqual([
    ...["let", "let", "let"],
    ...["failures", "failures", "failures"],
  ]);
});

test("sessions under one root may do four times what one of them may, and no more by being many", () => {
  const spread = times(16, (at) => say({ session: `s${at}`, afterMs: 3_000 }));
  const answers = kindsOf(play(spread).answers);
  expect(answers.slice(0, 12)).toEqual(times(12, () => say()).map(() => "let"));
  expect(answers.slice(12)).toEqual(["identical", "identical", "identical", "identical"]);
});

test("a call that answers something new is no loop", () => {
  const memory = createRunMemory();
  for (let at = 0; at < 30; at++) {
    const nowMs = START_MS + at * 5_000;
    const asked = { session: "root", tool: "poll", call: `c${at}`, input: () => "a", observed: false };
    expect(judgeCall(memory, LIMITS, asked, { nowMs, resetMs: 0 })).toBeUndefined();
    const seen = { session: "root", tool: "poll", input: "a" };
    const id = idAt(nowMs, at * 2);
    const call: CallEvent = { event: "call", id, atMs: nowMs, ...seen, call: `c${at}`, attempt: 1, said: "let" };
    memory.add(call);
    const end = { event: "end", id: idAt(nowMs, at * 2 + 1), atMs: nowMs, ...seen } as const;
    memory.add({ ...end, decision: id, outcome: "succeeded", calledAtMs: nowMs, output: `${at % 3}` });
  }
});

test("what only is watched counts its own trips, not those that stop", () => {
  const steps = times(6, () => say());
  const { memory, nowMs } = play(steps, LIMITS, true);
  const asked = { session: "root", tool: "pay", call: "next", input: () => "a" };
  const at = { nowMs, resetMs: 0 };
  expect(judgeCall(memory, LIMITS, { ...asked, observed: true }, at)).toMatchObject({ opened: false });
  expect(judgeCall(memory, { ...LIMITS, identical: 10 }, { ...asked, observed: false }, at)).toBeUndefined();
});

test("what an operator has set aside counts no more", () => {
  const { memory, nowMs } = play(times(6, () => say()));
  const asked = { session: "root", tool: "pay", call: "next", input: () => "a", observed: false };
  expect(judgeCall(memory, LIMITS, asked, { nowMs, resetMs: 0 })).toMatchObject({ opened: false });
  expect(judgeCall(memory, LIMITS, asked, { nowMs, resetMs: nowMs })).toBeUndefined();
});

test("a trail of a form that is not known says nothing", () => {
  const record = { id: idAt(START_MS, 1), session: "s", subject: null };
  for (const trail of ['["x","pay","a"]', '["c","pay","a","k",1,"sung","",0]', '["e","pay","a","failed",""]', "[1]"]) {
    expect(eventFrom({ ...record, trail })).toBeUndefined();
  }
});
