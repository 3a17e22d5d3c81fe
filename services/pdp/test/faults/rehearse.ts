import pg from "pg";
import { eventually } from "../support/processes.ts";
import { allPlaced, audit, census } from "./audit.ts";
import { askOver, furnishFleet, openSessions, POISON } from "./clients.ts";
import { startFleet } from "./fleet.ts";
import { startLoad } from "./load.ts";
import { befall, type FaultName, prober } from "./torment.ts";

export interface Rehearsal {
  /** What was found wrong: empty when everything held. */
  readonly wrong: readonly string[];
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly errors: ReadonlyMap<string, number>;
  /** Calls that ended in an answer, and answers received for them. */
  readonly calls: number;
  readonly received: number;
  readonly records: number;
  readonly writers: number;
  readonly fenced: number;
  /** From the moment a replica was gone to the moment it was shut out, in milliseconds. */
  readonly shutOutMs: readonly number[];
}

export interface RehearsalOptions {
  /** Of a migrated database that nobody has used. */
  readonly runtimeUrl: string;
  readonly superuserUrl: string;
  readonly random: () => number;
  /** What befalls which member next; null when it is enough. */
  readonly next: () => { readonly fault: FaultName; readonly member: number } | null;
  readonly say?: (line: string) => void;
}

const CALLERS = 24;
const SESSIONS = 12;
// Longer than a process is paused: what it could not answer it must refuse.
const PROBE_MS = 20_000;

/** Makes the store refuse poison, so that a statement that holds one fails as a whole. Its input stands beside it. */
async function poison(client: pg.Client): Promise<void> {
  await client.query("alter table record add constraint no_poison check (aside is null) not valid");
}

/** Three replicas under load, one fault after another, then the audit. */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const { runtimeUrl, superuserUrl, random, next, say = () => {} } = options;
  await using fleet = await startFleet(runtimeUrl);
  const { members, ownerKey } = fleet;
  const [first] = members;
  if (!first) throw new Error("a fleet of nobody");
  await furnishFleet(first, ownerKey);
  const sessions = await openSessions(first, ownerKey, SESSIONS);
  const [session] = sessions;
  if (!session) throw new Error("no session");
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await poison(client);
    const asks = members.map(askOver);
    const load = startLoad({
      members: asks,
      sessions,
      random,
      callers: CALLERS,
      isPoison: (callId) => callId.startsWith(POISON),
      poisonName: (callId) => `${POISON}-${callId}`,
    });
    const wrong: string[] = [];
    const shutOutMs: number[] = [];
    const counted = new Map<FaultName, number>();
    for (let step = next(); step; step = next()) {
      const { fault, member: at } = step;
      const [victim, ask] = [members[at], asks[at]];
      if (!victim || !ask) throw new Error(`no member ${at}`);
      say(`${fault}: ${victim.name}`);
      const answeredByOthers = () =>
        members.reduce((sum, _, other) => sum + (other === at ? 0 : load.answered(other)), 0);
      const others = async (answers: number) => {
        const enough = answeredByOthers() + answers;
        await eventually(() => answeredByOthers() >= enough);
      };
      const probe = prober(ask, session, PROBE_MS);
      await befall(fault, { victim, probe, others, client, wrong, shutOutMs });
      // Whatever was done to it, it serves again.
      const before = load.answered(at);
      await eventually(() => load.answered(at) > before);
      counted.set(fault, (counted.get(fault) ?? 0) + 1);
    }
    await load.stop();
    const { noted } = load;
    await eventually(() => allPlaced(client));
    wrong.push(...noted.wrong, ...(await audit(client, noted.answers.values())));
    const { errors, received } = noted;
    const calls = noted.answers.size;
    return { wrong, faults: counted, errors, calls, received, shutOutMs, ...(await census(client)) };
  } finally {
    await client.end();
  }
}
