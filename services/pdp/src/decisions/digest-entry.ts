import { digestedBytes, digestedInSlices } from "../foundation/digest.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import type { NewRecord } from "../ledger/index.ts";

type Digested = Pick<NewRecord, "body" | "digest">;

/** What is made bytes and digested at once: it takes some tenths of a millisecond. */
const AT_ONCE_CHARS_MAX = 256 * 1024;

async function digestInTurns(text: string, turns: TurnRoom, source: object | string): Promise<Digested> {
  let beganMs = 0;
  const pause = async () => {
    await turns.enter(source);
    beganMs = performance.now();
  };
  const over = () => turns.took(performance.now() - beganMs);
  const next = () => {
    over();
    return pause();
  };
  await pause();
  const digested = await digestedInSlices("entry", text, next);
  // It is sealed in a turn of its own.
  await next();
  return digested;
}

/** The bytes and the digest of an entry, which may hold very many scopes: of a long one in turns of their own. */
export function digestEntry(text: string, turns: TurnRoom, source: object | string): Digested | Promise<Digested> {
  return text.length > AT_ONCE_CHARS_MAX ? digestInTurns(text, turns, source) : digestedBytes("entry", text);
}
