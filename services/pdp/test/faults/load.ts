import { type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { Answer, AskMember } from "./clients.ts";

/** What a fault may make of a call. Anything else is somebody's fault. */
const UNDER_FAULTS = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];

export interface Noted {
  /** The answer that each call ended with. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** Answers received, replays and races among them. */
  readonly received: number;
  /** Errors by code. */
  readonly errors: ReadonlyMap<string, number>;
  /** What no fault explains: an answer that differs from an earlier one of the same call, an error of another kind. */
  readonly wrong: readonly string[];
}

export interface Load {
  readonly noted: Noted;
  /** Answers of each member so far, in their order. */
  answered(member: number): number;
  /** Lets every call come to its end: none is given up. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly members: readonly AskMember[];
  readonly sessions: readonly Metadata[];
  readonly random: () => number;
  readonly callers: number;
  /** The ids of calls that the store cannot hold: they fail, alone. */
  readonly isPoison: (callId: string) => boolean;
  readonly poisonName: (callId: string) => string;
}

const TIMEOUT_MS = 1_000;
const RACED = 0.1;
const ASKED_AGAIN = 0.1;
const POISONED = 0.005;

/**
 * Callers who ask without end, each one call after another: a call is asked at any member until it is answered, now and
 * then at two at once, and now and then again once it was answered.
 */
export function startLoad({ members, sessions, random, callers, isPoison, poisonName }: LoadOptions): Load {
  const answers = new Map<string, Answer>();
  const errors = new Map<string, number>();
  const wrong: string[] = [];
  const perMember = members.map(() => 0);
  let received = 0;
  let over = false;
  let made = 0;

  const note = (callId: string, answer: Answer, member: number) => {
    received++;
    perMember[member] = (perMember[member] ?? 0) + 1;
    const before = answers.get(callId);
    if (isPoison(callId)) wrong.push(`${callId} was answered, which nothing can hold`);
    if (before && (before.decisionId !== answer.decisionId || before.epoch !== answer.epoch || before.n !== answer.n)) {
      wrong.push(`${callId} was answered in two ways`);
    }
    answers.set(callId, answer);
  };
  /** Whether it is over: answered, or refused for ever. */
  const askOnce = async (callId: string, session: Metadata): Promise<boolean> => {
    const member = Math.floor(random() * members.length);
    try {
      const answer = await members[member]?.(callId, session, TIMEOUT_MS);
      if (answer) note(callId, answer, member);
      return true;
    } catch (error) {
      const { code, details } = error as ServiceError;
      const name = status[code] ?? String(error);
      errors.set(name, (errors.get(name) ?? 0) + 1);
      if (isPoison(callId) && code === status.INTERNAL) return true;
      if (!UNDER_FAULTS.includes(code)) wrong.push(`${callId} failed with ${name}: ${details}`);
      return false;
    }
  };
  const caller = async (session: Metadata): Promise<void> => {
    while (!over) {
      const name = `call-${++made}`;
      const callId = random() < POISONED ? poisonName(name) : name;
      const once = async () => {
        while (!(await askOnce(callId, session)));
      };
      await Promise.all(random() < RACED ? [once(), once()] : [once()]);
      if (random() < ASKED_AGAIN && !isPoison(callId)) await once();
    }
  };

  const all = Array.from({ length: callers }, (_, at) => caller(sessions[at % sessions.length] as Metadata));
  return {
    noted: {
      answers,
      errors,
      wrong,
      get received() {
        return received;
      },
    },
    answered: (member) => perMember[member] ?? 0,
    stop: async () => {
      over = true;
      await Promise.all(all);
    },
  };
}
