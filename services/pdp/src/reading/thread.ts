import { Worker } from "node:worker_threads";
import { invalid } from "../foundation/fault.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Question } from "./messages.ts";

/** Beside this file, as its source or, in the bundle, as the entry that the build makes of it. */
function workerUrl(): URL {
  const source = import.meta.url.endsWith(".ts");
  return new URL(source ? "./worker.ts" : "./documents-worker.js", import.meta.url);
}

/** A thread, started when it is needed. */
export function createThread(memoryMiBMax: number) {
  let thread: Worker | undefined;
  return {
    started(): Worker {
      if (thread) return thread;
      const made = new Worker(workerUrl(), { resourceLimits: { maxOldGenerationSizeMb: memoryMiBMax } });
      // It never keeps the process, and what becomes of it is for whoever waits for an answer.
      made.unref();
      made.on("error", () => undefined);
      made.once("exit", () => {
        if (thread === made) thread = undefined;
      });
      thread = made;
      return made;
    },
    /** Where there is none, there is nobody to be told. */
    tell: (question: Question) => thread?.postMessage(question),
    end() {
      const ending = thread;
      thread = undefined;
      return ending?.terminate();
    },
  };
}

export type Thread = ReturnType<typeof createThread>;

interface Limits {
  readonly timeMsMax: number;
  readonly memoryMiBMax: number;
}

/** Asks a thread one question at a time, and tells it something before, a piece in each turn of the event loop. */
export function askInTurn(
  thread: Thread,
  limits: Limits,
): <Answer>(question: Question, before?: readonly Question[]) => Promise<Answer> {
  let turn: Promise<unknown> = Promise.resolve();
  return <Answer>(question: Question, before: readonly Question[] = []) => {
    const mine = turn.then(async () => {
      for (const piece of before) {
        thread.started().postMessage(piece);
        await turnOfTheLoop();
      }
      return answerOf<Answer>(thread.started(), question, { ...limits, end: thread.end });
    });
    turn = mine.catch(() => undefined);
    return mine;
  };
}

interface Bounds extends Limits {
  end(): Promise<number> | undefined;
}

/** The answer of a thread; a fault when it dies or takes too long, and then it is ended. */
function answerOf<Answer>(
  thread: Worker,
  question: Question,
  { timeMsMax, memoryMiBMax, end }: Bounds,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const refuse = (what: string, limit: string) => {
      settle();
      void end();
      reject(invalid("files", what, { limit, fix: "send fewer documents at a time, or smaller ones" }));
    };
    const answered = (answer: Answer) => {
      settle();
      resolve(answer);
    };
    const died = (error: Error & { readonly code?: unknown }) => {
      if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
        return refuse("the files could not be read in the memory that there is for that", `${memoryMiBMax} MiB`);
      }
      settle();
      // It may still be ending: the next question is for a new one.
      void end();
      reject(new Error("the thread that reads documents has failed", { cause: error }));
    };
    const closed = () => died(new Error("it was ended"));
    const timer = setTimeout(() => refuse("the files take too long to read", `${timeMsMax} ms`), timeMsMax);
    const settle = () => {
      clearTimeout(timer);
      thread.off("message", answered);
      thread.off("error", died);
      thread.off("exit", closed);
    };
    thread.on("message", answered);
    thread.once("error", died);
    thread.once("exit", closed);
    thread.postMessage(question);
  });
}
