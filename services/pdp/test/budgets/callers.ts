import type { Outcome } from "../../src/decisions/ask.ts";
import type { Agreed, Answered, Asked, Told } from "./front.ts";
import type { House, Slot } from "./house.ts";
import type { Oracle } from "./oracle.ts";
import { SAME_CALL } from "./said.ts";
import { nobody, type Scheduler } from "./scheduler.ts";
import type { Debt, Truth } from "./truth.ts";

/** How a caller behaves, drawn before it begins. */
export interface Habit {
  readonly tool: "plain" | "asks" | "tried" | "booked" | "free";
  readonly session: string;
  readonly shop: string;
  readonly estimate: ReadonlyMap<string, bigint>;
  readonly costs: ReadonlyMap<string, bigint>;
  /** Numbers of its own, so that leaving another caller out changes nothing here. */
  readonly random: () => number;
}

export interface Callers {
  /** A call from its first ask to its last report, or to wherever its caller gives up. */
  make(call: string, habit: Habit): Promise<void>;
  /** Reports that nobody has acknowledged yet; sent again until somebody does. */
  readonly debts: Debt[];
  /** Sends all of them once more, and waits for as long as it takes. */
  settleAll(): void;
  readonly answers: Map<string, number>;
}

interface Options {
  readonly scheduler: Scheduler;
  readonly house: House;
  readonly oracle: Oracle;
  readonly nowMs: () => number;
  /** Something befalls a caller: at once, or as soon as the schedule wants it. */
  readonly befell: (fault: string) => Promise<void>;
  /** How likely something is in this schedule. */
  readonly odds: (fault: string, usually: number) => number;
}

const PATIENCE_MS = 400;
const ASKS_MAX = 5;
/** A denial that may be asked again may be so by then. */
const AGAIN_MS = 1_100;
/** Longer than any hold is kept. */
const LATE_MS = 7 * 60_000;

export function createCallers({ scheduler, house, oracle, nowMs, befell, odds }: Options): Callers {
  const debts: Debt[] = [];
  const answers = new Map<string, number>();
  const patience = { ends: true };
  const timing = scheduler.timing(nobody);

  const anySlot = (random: () => number) => house.slots[Math.floor(random() * house.slots.length)] as Slot;
  const idle = (steps: number) =>
    Array.from({ length: steps }).reduce<Promise<void>>(
      (before) => before.then(() => scheduler.step(nobody, ["caller waits"])),
      Promise.resolve(),
    );

  /** An answer, or null when it does not come in time or is an error. */
  const within = <Value>(asked: Promise<Value>): Promise<Value | null> =>
    new Promise((resolve) => {
      if (patience.ends) timing.after(PATIENCE_MS, () => resolve(null));
      asked.then(resolve, () => resolve(null));
    });

  const askOnce = async (asked: Asked, random: () => number): Promise<Answered | null> => {
    const asOf = oracle.suspension();
    const answered = await within(anySlot(random).front.decide(asked));
    if (!answered) return null;
    await scheduler.step(nobody, ["answer to the caller"]);
    if (random() < odds("answer lost on its way to the caller", 0.08)) {
      await befell("answer lost on its way to the caller");
      return null;
    }
    oracle.answered(asked.call, answered, asOf);
    const what = `${answered.effect}: ${answered.code}`;
    answers.set(what, (answers.get(what) ?? 0) + 1);
    return answered;
  };

  /** The same call under another id. Whoever asked it so may give it up: it is the other one's then. */
  const askAsAnother = async (asked: Asked, random: () => number) => {
    const call = `${asked.call}${SAME_CALL}`;
    const answered = await askOnce({ ...asked, call }, random);
    if (!answered || answered.of === call || random() < 0.5) return;
    const told = { session: asked.session, subject: { callId: call }, outcome: "not_executed" as const };
    await tell({ ...told, actual: new Map() }, anySlot(random));
  };

  /** Asks until it is answered, on one replica after another; at times on two at once. */
  const ask = async (asked: Asked, random: () => number): Promise<Answered | null> => {
    for (let times = 0; times < ASKS_MAX; times++) {
      if (times > 0) await befell("caller asks again elsewhere");
      if (random() < odds("caller asks twice at once", 0.12)) {
        await befell("caller asks twice at once");
        void askOnce(asked, random);
      }
      if (asked.tool === "booked" && random() < odds("same call asked under another id", 0.4)) {
        await befell("same call asked under another id");
        void askAsAnother(asked, random);
      }
      const answered = await askOnce(asked, random);
      if (answered) return answered;
      if (random() < 0.1) return null;
    }
    return null;
  };

  const tell = async (told: Told, { front }: Slot, as: "report" | "reportAsBefore" = "report"): Promise<boolean> => {
    const acknowledged = await within(front[as](told).then(() => true));
    return acknowledged === true;
  };
  const pay = async (debt: Debt, random: () => number = () => 0.5, as?: "reportAsBefore"): Promise<void> => {
    for (let times = 0; times < 3 && !debt.paid; times++) {
      if (!(await tell(debt.told, anySlot(random), as))) continue;
      debt.paid = true;
      if (debt.told.outcome !== "running" && debt.told.outcome !== "unknown") debt.truth.toldOverage = true;
    }
  };
  const owe = (truth: Truth, subject: Told["subject"], outcome: Outcome, actual: Told["actual"] = new Map()): Debt => {
    const debt = { truth, told: { session: truth.session, subject, outcome, actual }, paid: false };
    debts.push(debt);
    return debt;
  };

  /** The tool ran, or did not: what its caller says of it, when, and how often. */
  const afterwards = async (
    asked: Asked,
    truth: Truth,
    answered: Answered,
    { random, costs }: Habit,
  ): Promise<void> => {
    const { decision } = answered;
    const subject = random() < 0.8 ? { decisionId: decision } : { callId: truth.call };
    const runs = random() < 0.8 && !truth.over;
    if (random() < 0.2) await idle(1 + Math.floor(random() * 12));
    truth.ran = runs;
    truth.over = true;
    const settles = (): Debt => {
      if (!runs) return owe(truth, subject, "not_executed");
      const spentNothing = [...costs.values()].every((micros) => micros === 0n);
      return owe(
        truth,
        subject,
        spentNothing && random() < 0.5 ? "failed" : random() < 0.2 ? "failed" : "succeeded",
        costs,
      );
    };
    if (random() < odds("report never sent", 0.1)) return befell("report never sent");
    if (random() < odds("report late", 0.17)) {
      await befell("report late");
      const afterMs = nowMs() + LATE_MS;
      for (let waited = 0; waited < 8 && nowMs() < afterMs; waited++) await idle(10);
    }
    if (runs && random() < odds("report that it still runs", 0.2)) {
      await befell("report that it still runs");
      const running = owe(truth, { decisionId: decision }, "running");
      running.paid = true;
      const told = tell(running.told, anySlot(random));
      if (random() >= odds("report overtaken by another", 0.5)) await told;
      else await befell("report overtaken by another");
    }
    if (runs && random() < odds("report that nobody knows", 0.08)) {
      await befell("report that nobody knows");
      const unknown = { session: truth.session, subject, outcome: "unknown" as const, actual: new Map() };
      if (random() < odds("report sent twice", 0.2)) void tell(unknown, anySlot(random));
      await tell(unknown, anySlot(random));
    }
    const debt = settles();
    if (random() < odds("report sent twice", 0.2)) {
      await befell("report sent twice");
      void tell(debt.told, anySlot(random));
    }
    if (random() < odds("report lost", 0.05)) return befell("report lost");
    if (random() < odds("report taken by a build before budgets", 0.04)) {
      await befell("report taken by a build before budgets");
      return pay(debt, random, "reportAsBefore");
    }
    await pay(debt, random);
    if (!answered.watched || random() >= odds("watched call asked again after its report", 0.3)) return;
    await befell("watched call asked again after its report");
    // Nobody runs it a second time; its report comes once more.
    await askOnce(asked, random);
    await tell(debt.told, anySlot(random));
  };

  const approve = async (asked: Asked, truth: Truth, random: () => number): Promise<Answered | null> => {
    await idle(Math.floor(random() * 20));
    const what = random();
    if (what < odds("approval left alone", 0.2)) {
      await befell("approval left alone");
      return null;
    }
    const agreed: Agreed = what < 0.28 ? "perhaps" : what < 0.36 ? "unclear" : what < 0.88 ? "yes" : "no";
    const next = { ...asked, agreed };
    if (random() < odds("given up while it is approved", 0.12)) {
      await befell("given up while it is approved");
      truth.over = true;
      void pay(owe(truth, { callId: asked.call }, "not_executed"), random);
    }
    if (random() < odds("approval used twice at once", 0.3)) {
      await befell("approval used twice at once");
      void askOnce(next, random);
    }
    const answered = await ask(next, random);
    return answered?.effect === "clarify" ? ask({ ...asked, agreed: "yes" }, random) : answered;
  };

  /** Asks once more what was denied for now. */
  const askAgain = async (asked: Asked, random: () => number): Promise<Answered | null> => {
    await befell("denied call asked again later");
    await new Promise<void>((resolve) => void timing.after(AGAIN_MS, resolve));
    return ask(asked, random);
  };

  return {
    debts,
    answers,
    settleAll: () => {
      patience.ends = false;
      for (const debt of debts) if (!debt.paid) void pay(debt);
    },
    make: async (call, habit) => {
      const { random, tool, session, shop, estimate, costs } = habit;
      const truth: Truth = { call, tool, session, shop, costs, ran: false, over: false, toldOverage: false };
      oracle.truths.set(call, truth);
      // Nobody expects it to cost anything.
      const expected = tool === "free" ? new Map<string, bigint>() : estimate;
      const asked = { call, order: call, session, tool, shop, estimate: expected };
      let answered = await ask(asked, random);
      if (answered?.retryable && random() < odds("denied call asked again later", 0.3)) {
        answered = await askAgain(asked, random);
      }
      if (answered?.effect === "escalate") answered = await approve(asked, truth, random);
      if (answered?.effect === "allow" || answered?.effect === "transform") {
        return afterwards(asked, truth, answered, habit);
      }
      truth.over = true;
      // Whoever never saw an answer says that nothing ran.
      if (!answered && random() < 0.7) await pay(owe(truth, { callId: call }, "not_executed"), random);
    },
  };
}
