import {
  type CedarRead,
  type CedarTexts,
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
import type { Pause } from "../foundation/in-slices.ts";
import { parseJsonInSlices } from "../foundation/json-in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { createCedarReader } from "./cedar-reader.ts";
import type { MoreAnswer, PlaceAnswer, ReadAnswer } from "./messages.ts";
import { askInTurn, createThread } from "./thread.ts";

/** Reads what administrators send, off the thread that decides. */
export interface Reader {
  readonly read: ReadFiles;
  /** Reads the texts of a policy in Cedar, by a thread that reads no documents: who loads a tenant waits for no other's. */
  readonly cedar: (texts: CedarTexts) => Promise<CedarRead>;
  /** Keeps a thread from now on, and reads every document by it, so that nobody waits for one to start. */
  stay(): void;
  close(): Promise<void>;
}

interface Options {
  readonly timeMsMax?: number;
  readonly memoryMiBMax?: number;
  /** Between the slices of taking over what was read, which stays in use. */
  readonly pause?: Pause | undefined;
  /** Shorter files are read where they are, until the reader stays: that takes less than starting a thread. */
  readonly atOnceCharsMax?: number;
}

const IDLE_MS = 10_000;
/** A process that does not stay starts no thread for less than this. */
const AT_ONCE_CHARS_MAX = 4 * 1024;
/** A thread that has read more than this gives its memory back once nobody needs it. */
const KEPT_CHARS_MAX = 1024 * 1024;

/**
 * A reader with one thread of its own, started when it is needed and ended when nobody has needed it for a while, unless
 * it stays. Who asks takes turns. A thread that takes too long, or too much memory, is ended: what it read is refused, and the next
 * question has a new one.
 */
export function createReader({
  timeMsMax = limits.readingMsMax,
  memoryMiBMax = limits.readingMiBMax,
  pause = turnOfTheLoop,
  atOnceCharsMax = AT_ONCE_CHARS_MAX,
}: Options = {}): Reader {
  const thread = createThread(memoryMiBMax);
  let reads = 0;
  let open = 0;
  let idle: NodeJS.Timeout | undefined;
  let stays = false;
  let charsRead = 0;

  const ask = askInTurn(thread, { timeMsMax, memoryMiBMax });
  const cedar = createCedarReader({ timeMsMax, memoryMiBMax });
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
        const parts = partsOf(files);
        const last = parts.pop() ?? [];
        const before = parts.map((some) => ({ ask: "take", read, files: some }) as const);
        const first = await ask<ReadAnswer>(
          { ask: "read", read, files: last, before: files.length - last.length },
          before,
        );
        const { problems } = first;
        const { documents, digests } = await takenOver(first, pause, () =>
          ask<MoreAnswer | undefined>({ ask: "more", read }),
        );
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
    cedar: cedar.read,
    stay() {
      stays = true;
      thread.started();
    },
    async close() {
      stays = false;
      clearTimeout(idle);
      await Promise.all([thread.end(), cedar.close()]);
    },
  };
}

/** Sending a text copies it: so much in one piece. */
const SENT_CHARS_MAX = 256 * 1024;
const SENT_FILES_MAX = 1_000;

function partsOf(files: readonly SourceFile[]): SourceFile[][] {
  const parts: SourceFile[][] = [];
  let part: SourceFile[] = [];
  let chars = 0;
  for (const file of files) {
    part.push(file);
    chars += file.text.length;
    if (chars < SENT_CHARS_MAX && part.length < SENT_FILES_MAX) continue;
    parts.push(part);
    [part, chars] = [[], 0];
  }
  return part.length > 0 || parts.length === 0 ? [...parts, part] : parts;
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
async function takenOver(first: MoreAnswer, pause: Pause, askMore: () => Promise<MoreAnswer | undefined>) {
  const documents = noDocuments();
  const digests = new WeakMap<object, Uint8Array>();
  let number = 0;
  for (let answer: MoreAnswer | undefined = first; ; answer = await askMore()) {
    if (!answer) throw new Error("the thread that has read the documents is gone");
    for (const { kind, json, digest } of answer.texts) {
      const document = (await parseJsonInSlices(json, pause)) as Documents[typeof kind][number] & object;
      rememberFar(document, number++);
      digests.set(document, digest);
      (documents[kind] as object[]).push(document);
      await pause();
    }
    if (!answer.more) return { documents, digests };
  }
}
