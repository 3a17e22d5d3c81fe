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
import { parseJsonInSlices } from "../foundation/json-in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { MoreAnswer, PlaceAnswer, Question, ReadAnswer } from "./messages.ts";

/** Reads what administrators send, off the thread that decides. */
export interface Reader {
  readonly read: ReadFiles;
  /** Keeps a thread from now on, and reads every document by it, so that nobody waits for one to start. */
  stay(): void;
  close(): Promise<void>;
}

interface Options {
  readonly timeMsMax?: number;
  readonly memoryMiBMax?: number;
  /** Shorter files are read where they are, until the reader stays: that takes less than starting a thread. */
  readonly atOnceCharsMax?: number;
}

const IDLE_MS = 10_000;
/** A process that does not stay starts no thread for less than this. */
const AT_ONCE_CHARS_MAX = 4 * 1024;
/** A thread that has read more than this gives its memory back once nobody needs it. */
const KEPT_CHARS_MAX = 1024 * 1024;

/** Beside this file, as its source or, in the bundle, as the entry that the build makes of it. */
function workerUrl(): URL {
  const source = import.meta.url.endsWith(".ts");
  return new URL(source ? "./worker.ts" : "./documents-worker.js", import.meta.url);
}

/** The thread, started when it is needed. */
function createThread(memoryMiBMax: number) {
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

/**
 * A reader with one thread of its own, started when it is needed and ended when nobody has needed it for a while, unless
 * it stays. Who asks takes turns. A thread that takes too long, or too much memory, is ended: what it read is refused, and the next
 * question has a new one.
 */
export function createReader({
  timeMsMax = limits.readingMsMax,
  memoryMiBMax = limits.readingMiBMax,
  atOnceCharsMax = AT_ONCE_CHARS_MAX,
}: Options = {}): Reader {
  const thread = createThread(memoryMiBMax);
  let turn: Promise<unknown> = Promise.resolve();
  let reads = 0;
  let open = 0;
  let idle: NodeJS.Timeout | undefined;
  let stays = false;
  let charsRead = 0;

  /** One question in its turn. */
  const ask = <Answer>(question: Question): Promise<Answer> => {
    const mine = turn.then(() =>
      answerOf<Answer>(thread.started(), question, { timeMsMax, memoryMiBMax, end: thread.end }),
    );
    turn = mine.catch(() => undefined);
    return mine;
  };
  const done = (read: number) => {
    open--;
    thread.tell({ ask: "forget", read });
    if (open > 0 || (stays && charsRead <= KEPT_CHARS_MAX)) return;
    clearTimeout(idle);
    idle = setTimeout(rest, IDLE_MS).unref();
  };
  const rest = () => {
    if (open > 0) return;
    charsRead = 0;
    void thread.end();
    if (stays) thread.started();
  };

  return {
    async read(files) {
      const chars = files.reduce((sum, { text }) => sum + text.length, 0);
      if (!stays && chars <= atOnceCharsMax) return readHere(files);
      const read = reads++;
      open++;
      charsRead += chars;
      try {
        const first = await ask<ReadAnswer>({ ask: "read", read, files });
        const { problems } = first;
        const { documents, digests } = await takenOver(first, () => ask<MoreAnswer | undefined>({ ask: "more", read }));
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
    stay() {
      stays = true;
      thread.started();
    },
    async close() {
      stays = false;
      clearTimeout(idle);
      await thread.end();
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
async function takenOver(first: MoreAnswer, askMore: () => Promise<MoreAnswer | undefined>) {
  const documents = noDocuments();
  const digests = new WeakMap<object, Uint8Array>();
  let number = 0;
  for (let answer: MoreAnswer | undefined = first; ; answer = await askMore()) {
    if (!answer) throw new Error("the thread that has read the documents is gone");
    for (const { kind, json, digest } of answer.texts) {
      const document = (await parseJsonInSlices(json, turnOfTheLoop)) as Documents[typeof kind][number] & object;
      rememberFar(document, number++);
      digests.set(document, digest);
      (documents[kind] as object[]).push(document);
      await turnOfTheLoop();
    }
    if (!answer.more) return { documents, digests };
  }
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
