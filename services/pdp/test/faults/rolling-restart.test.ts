import { expect, test } from "vitest";
import { type Client, createClient, type Session } from "../../../../sdk-node/src/index.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, withClient } from "../support/test-database.ts";
import { audit } from "./audit.ts";
import { startBalancer } from "./balancer.ts";
import { furnishFleet } from "./clients.ts";
import { startFleet } from "./fleet.ts";

const CLIENTS = 3;
const CALLS_AT_ONCE = 4;
// Three services start on what may be two busy cores: how long that takes is not what is asked here.
const DEADLINE_MS = 15_000;

/** Guarded calls without end, until told to stop. */
function startCalls(client: Client, session: Session) {
  const failed: unknown[] = [];
  let ran = 0;
  let over = false;
  const caller = async () => {
    while (!over) {
      const text = `note ${ran}`;
      try {
        await client.guard(session, { tool: "notes.write", input: { text } }, async () => ++ran);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  const all = Promise.all(Array.from({ length: CALLS_AT_ONCE }, caller));
  return {
    failed,
    ran: () => ran,
    stop: async () => {
      over = true;
      await all;
    },
  };
}

test("a rolling restart under load: every guarded call ends in a decision, and every report is taken", async () => {
  const database = await createTestDatabase();
  const fleet = await startFleet(database.runtimeUrl);
  const { members, ownerKey } = fleet;
  const [first] = members;
  if (!first) throw new Error("a fleet of nobody");
  await furnishFleet(first, ownerKey);
  const balancer = await startBalancer(members);
  const { address } = balancer;
  const clients = Array.from({ length: CLIENTS }, () =>
    createClient({ address, key: ownerKey, deadlineMs: DEADLINE_MS, log: () => {} }),
  );
  const loads = await Promise.all(
    clients.map(async (client) => startCalls(client, await client.openSession({ agent: "clerk" }))),
  );
  const progress = async () => {
    const before = loads.map((load) => load.ran());
    await eventually(() => loads.every((load, at) => load.ran() > (before[at] ?? 0) + 20));
  };

  await progress();
  for (const member of members) {
    member.signal("SIGTERM");
    expect((await member.serving().ended).code).toBe(0);
    await member.start();
    await progress();
  }
  await Promise.all(loads.map((load) => load.stop()));
  await Promise.all(clients.map((client) => client.flush()));

  expect(loads.flatMap((load) => load.failed)).toEqual([]);
  for (const client of clients) {
    expect(client.stats()).toEqual({ callsUnderWay: 0, reportsQueued: 0, reportsRefused: 0, reportsLost: 0 });
    await client.close();
  }
  const ran = loads.reduce((sum, load) => sum + load.ran(), 0);
  await withClient(database.superuserUrl, async (client) => {
    expect(await audit(client, [])).toEqual([]);
    const { rows } = await client.query("select kind, count(*)::int from record group by kind");
    const counts = Object.fromEntries(rows.map(({ kind, count }) => [kind, count]));
    expect(counts).toMatchObject({ decision: ran, report: ran });
  });
  await balancer[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
  await database.drop();
}, 240_000);
