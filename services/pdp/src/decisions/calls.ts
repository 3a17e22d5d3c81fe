import { utcDay } from "../foundation/clock.ts";
import { limits } from "../foundation/limits.ts";
import type { Session } from "../identities/index.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";
import { aliasedKey } from "./alias.ts";
import { byBusinessKey, byCallId, type CallName, callKey } from "./call.ts";
import { bodyOf } from "./replay.ts";

/** Attempts that one look-up asks for: almost every call has fewer. */
const ATTEMPTS_A_LOOK_UP = 16;

/** What the ledger knows of a session's calls. */
export interface Calls {
  /** The records of a call's attempts from the given one on, in order; attempts have no gaps. */
  attempts(session: Session, name: CallName, from: number): Promise<StoredRecord[]>;
  /** What stands under a call's id: its first attempt, an alias, that it was given up before it arrived; or null. */
  underId(session: Session, callId: string): Promise<StoredRecord | null>;
}

export function createCalls(ledger: Pick<Ledger, "findByKeys">): Calls {
  const find = ({ tenant, id, openedAtMs }: Session, keys: readonly Uint8Array[]) =>
    ledger.findByKeys(tenant, id, utcDay(openedAtMs), keys);
  return {
    async attempts(session, name, from) {
      const found: StoredRecord[] = [];
      for (let first = from; first <= limits.attemptsPerCallMax; first += ATTEMPTS_A_LOOK_UP) {
        const keys = Array.from({ length: ATTEMPTS_A_LOOK_UP }, (_, at) => callKey(name, first + at));
        const records = (await find(session, keys)).filter((record) => record !== null);
        found.push(...records);
        if (records.length < ATTEMPTS_A_LOOK_UP) break;
      }
      return found;
    },
    underId: async (session, callId) => (await find(session, [callKey(byCallId(callId), 1)]))[0] ?? null,
  };
}

/** The name of the call that an alias stands for. */
export function aliasedName(record: StoredRecord): CallName {
  return byBusinessKey(aliasedKey(bodyOf(record)));
}
