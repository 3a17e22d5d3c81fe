import { type CedarRead, type CedarTexts, readCedar } from "@remit/engine";
import { Fault } from "../foundation/fault.ts";
import { askInTurn, createThread } from "./thread.ts";

interface Limits {
  readonly timeMsMax: number;
  readonly memoryMiBMax: number;
}

const IDLE_MS = 10_000;

/**
 * Reads policies in Cedar by a thread of its own, one after the other, started when it is needed and ended when nobody has needed it
 * for a while. A thread that takes too long or too much memory is ended, and what it read is refused. Where it fails otherwise, the
 * policy is read here: that holds others up, and loses nothing.
 */
export function createCedarReader(limits: Limits) {
  const thread = createThread(limits.memoryMiBMax);
  const ask = askInTurn(thread, limits);
  let open = 0;
  let idle: NodeJS.Timeout | undefined;
  return {
    async read(texts: CedarTexts): Promise<CedarRead> {
      open++;
      clearTimeout(idle);
      try {
        return await ask<CedarRead>({ ask: "cedar", texts });
      } catch (error) {
        if (error instanceof Fault) throw error;
        return readCedar(texts);
      } finally {
        open--;
        if (open === 0) idle = setTimeout(() => void thread.end(), IDLE_MS).unref();
      }
    },
    async close(): Promise<void> {
      clearTimeout(idle);
      await thread.end();
    },
  };
}
