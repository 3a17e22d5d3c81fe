import { Worker } from "node:worker_threads";
import {
  type Documents,
  noDocuments,
  type Problem,
  parseInSlices,
  rememberFar,
  type SourceFile,
  unplacedIn,
  withPlaces,
} from "@remit/engine";
import type { ReadDocuments, ReadFiles } from "../decisions/index.ts";
import { invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { PlaceAnswer, Question, ReadAnswer } from "./messages.ts";

/** Reads what administrators send, off the thread that decides. */
interface Reader {
  readonly read: ReadFiles;
  close(): Promise<void>;
}

interface Options {
  readonly timeMsMax?: number;
  readonly memoryMiBMax?: number;
  /** Shorter files are read where they are: that takes less than waking a thread. */
  readonly atOnceCharsMax?: number;
}

const IDLE_MS = 10_000;

/** Beside this file, as its source or, in the bundle, as the entry that the build makes of it. */
function workerUrl(): URL {
  const source = import.meta.url.endsWith(".ts");
  return new URL(source ? "./worker.ts" : "./documents-worker.js", import.meta.url);
}

/**
 * A reader with one thread of its own, started when it is needed and ended when nobody has needed it for a while. Who
 * asks takes turns. A thread that takes too long, or too much memory, is ended: what it read is refused, and the next
 * question has a new one.
 */
export function createReader({
  timeMsMax = limits.readingMsMax,
  memoryMiBMax = limits.readingMiBMax,
  atOnceCharsMax = limits.readAtOnceCharsMax,
}: Options = {}): Reader {
  let thread: Worker | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let reads = 0;
  let open = 0;
  let idle: NodeJS.Timeout | undefined;

  const end = () => {
    const ending = thread;
    thread = undefined;
    return ending?.terminate();
  };
  const started = (): Worker => {
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
  };
  /** One question in its turn. */
  const ask = <Answer>(question: Question): Promise<Answer> => {
    const mine = turn.then(() => answerOf<Answer>(started(), question, { timeMsMax, memoryMiBMax, end }));
    turn = mine.catch(() => undefined);
    return mine;
  };
  const done = (read: number) => {
    open--;
    thread?.postMessage({ ask: "forget", read } satisfies Question);
    if (open > 0) return;
    clearTimeout(idle);
    idle = setTimeout(() => open === 0 && end(), IDLE_MS).unref();
  };

  return {
    async read(files) {
      if (files.reduce((sum, { text }) => sum + text.length, 0) <= atOnceCharsMax) return readHere(files);
      const read = reads++;
      open++;
      try {
        const { texts, problems } = await ask<ReadAnswer>({ ask: "read", read, files });
        const { documents, digests } = await takenOver(texts);
        return {
          documents,
          problems: [...problems],
          digestOf: (document) => digests.get(document),
          placed: async (found) => {
            const unplaced = unplacedIn(found).slice(0, limits.problemsPlacedMax);
            if (unplaced.length === 0) return [...found];
            return withPlaces(found, await ask<PlaceAnswer>({ ask: "place", read, unplaced }));
          },
          done: () => done(read),
        };
      } catch (error) {
        done(read);
        throw error;
      }
    },
    async close() {
      clearTimeout(idle);
      await end();
    },
  };
}

async function readHere(files: readonly SourceFile[]): Promise<ReadDocuments> {
  const { documents, problems } = await parseInSlices(files, turnOfTheLoop);
  return {
    documents,
    problems,
    digestOf: () => undefined,
    placed: async (found: readonly Problem[]) => [...found],
    done: () => undefined,
  };
}

/** Documents of their texts, one after the other, others answered in between. */
async function takenOver(texts: ReadAnswer["texts"]) {
  const documents = noDocuments();
  const digests = new WeakMap<object, Uint8Array>();
  for (const [number, { kind, json, digest }] of texts.entries()) {
    const document = JSON.parse(json) as Documents[typeof kind][number] & object;
    rememberFar(document, number);
    digests.set(document, digest);
    (documents[kind] as object[]).push(document);
    await turnOfTheLoop();
  }
  return { documents, digests };
}

interface Bounds {
  readonly timeMsMax: number;
  readonly memoryMiBMax: number;
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
