import { Code, ConnectError } from "@connectrpc/connect";
import { HoldEnd, type OpenHold } from "@remit/proto/admin";
import type { Client } from "pg";
import type { Addresses } from "./fleet.ts";
import { RARE } from "./purse.ts";
import { bearer } from "./told.ts";
import { clientAt, UNDER_FAULTS } from "./treasurer.ts";

/** What was asked of a hold, and whether it was ever answered that it is so. */
interface Word {
  readonly released: boolean;
  heard: boolean;
  /** Whether an answer was lost: then it may be so. */
  unheard: boolean;
}

/** What stands in the store of a hold that was ended by hand. */
export interface Resolution {
  readonly hold: string;
  readonly decision: string;
  readonly released: boolean;
}

/** Ends holds by hand, of calls that are under way, too, at any member, whatever befalls it. */
export interface Operator {
  readonly words: ReadonlyMap<string, Word>;
  resolveOne(): Promise<void>;
}

export function createOperator(options: {
  readonly members: readonly Addresses[];
  readonly ownerKey: string;
  readonly random: () => number;
  readonly wrong: string[];
}): Operator {
  const { members, ownerKey, random, wrong } = options;
  const by = bearer(ownerKey);
  const words = new Map<string, Word>();
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)];

  /** Asks one member; undefined where a fault may have swallowed it, `gone` where nothing is held any more. */
  const ask = async <Value>(what: string, send: (at: Addresses) => Promise<Value>) => {
    try {
      return await send(pick(members) as Addresses);
    } catch (error) {
      const failed = ConnectError.from(error);
      // It was ended by then, or at this moment; or another attempt of its call has it now.
      if (failed.code === Code.NotFound || failed.code === Code.AlreadyExists) return "gone";
      if (!UNDER_FAULTS.includes(failed.code)) wrong.push(`${what}: ${failed.message}`);
      return undefined;
    }
  };
  const resolve = async ({ holdId, pending, tool }: OpenHold): Promise<void> => {
    // Nothing of what waits has run, and what is counted one by one is to be used up exactly.
    const released = pending || (tool !== RARE && random() < 0.5);
    const word: Word = { released, heard: false, unheard: false };
    words.set(holdId, word);
    const as = released ? HoldEnd.RELEASED : HoldEnd.SPENT;
    for (;;) {
      const asked = { holdId, as, reason: "nobody knows of it" };
      const answer = await ask(`the end of hold ${holdId}`, (at) => clientAt(at).resolveHold(asked, by));
      if (answer === undefined) {
        word.unheard = true;
        continue;
      }
      word.heard = answer !== "gone";
      return;
    }
  };
  return {
    words,
    async resolveOne() {
      const list = await ask("what is held", (at) => clientAt(at).listHolds({}, by));
      if (list === undefined || list === "gone") return;
      const hold = pick(list.holds.filter(({ holdId }) => !words.has(holdId)));
      if (hold) await resolve(hold);
    },
  };
}

/** What stands of it in the store. */
export async function readResolutions(client: Client): Promise<Resolution[]> {
  const { rows } = await client.query<Resolution>(
    "select hold::text, decision::text, released from hold_resolution order by hold",
  );
  return rows;
}

/** What is wrong between what an operator said and was told, and what stands. */
export function resolvedAsSaid(words: Operator["words"], resolutions: readonly Resolution[]): string[] {
  const stands = new Map(resolutions.map((one) => [one.hold, one]));
  const lost = [...words].flatMap(([hold, { heard }]) =>
    heard && !stands.has(hold) ? [`hold ${hold} was said to be resolved, and is not`] : [],
  );
  const odd = resolutions.flatMap(({ hold, released }) => {
    const word = words.get(hold);
    if (!word) return [`hold ${hold} was resolved, and nobody asked for it`];
    if (word.released !== released) return [`hold ${hold} was resolved as ${released ? "released" : "spent"}`];
    return word.heard || word.unheard ? [] : [`hold ${hold} was resolved, and it was denied that it was`];
  });
  return [...lost, ...odd];
}
