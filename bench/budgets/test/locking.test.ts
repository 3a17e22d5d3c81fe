import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { digest } from "../../../services/pdp/src/foundation/digest.ts";
import { type Clients, clientsOf } from "../../src/remit/clients.ts";
import { readCommits } from "../../src/remit/commits.ts";
import { startProcesses } from "../../src/run/processes.ts";
import { lockingPerCall, startBudgeted } from "../src/budgeted.ts";
import { raceForTheLast } from "../src/last-unit.ts";
import { remitBooked } from "../src/remit-calls.ts";

const processes = startProcesses();
const folder = await mkdtemp(join(tmpdir(), "remit-locking-"));
// Postgres leaves root behind, and must still reach its data below this folder.
await chmod(folder, 0o755);

afterAll(async () => {
  await processes.stopAll();
  await rm(folder, { recursive: true, force: true });
});

async function allDecisions({ ledger }: Clients) {
  const ids: string[] = [];
  for (let pageToken = ""; ; ) {
    const { decisions, nextPageToken } = await ledger.listDecisions({ pageToken });
    ids.push(...decisions.map(({ id }) => id));
    if (nextPageToken === "") break;
    pageToken = nextPageToken;
  }
  return await Promise.all(ids.map(async (decisionId) => (await ledger.getDecision({ decisionId })).decision));
}

test("the service that locks its rows per call lets in what there is and no more, and commits each record by itself", async () => {
  const [limit, callers, connections] = [40, 16, 4];
  const cores = { server: undefined, client: undefined, note: "" };
  const serving = { ...lockingPerCall(connections), limit: String(limit) };
  const subject = await startBudgeted({ processes, cores }, join(folder, "service"), 340, serving);
  const race = await raceForTheLast(subject, limit, callers);
  expect(race).toMatchObject({ allowed: limit, exhausted: callers, overspent: false });

  const clients = clientsOf(subject.served, subject.served.ownerKey);
  expect(await remitBooked(subject)).toEqual(
    ["agent", "team", "tenant", "tool"].map((level) => ({ level, calls: limit, overspent: false })),
  );
  const { differencesFound, records } = await clients.budget.verifyBudgets({});
  // Of each call a hold; of each but the first, which nobody reported, what settled it.
  expect([differencesFound, records]).toEqual([0n, BigInt(2 * limit - 1)]);

  const decisions = await allDecisions(clients);
  for (const entry of decisions) expect(digest("entry", entry?.canonical ?? "")).toBe(entry?.digest);
  // Every call that was let in has an entry, and those of several writers: they did commit side by side. Each caller was
  // refused once at least; whoever waits too long for a row is told to ask again, which is a decision too.
  const allowed = decisions.filter((entry) => JSON.parse(entry?.canonical ?? "{}").effect === "allow");
  expect(allowed.length).toBe(limit);
  expect(decisions.length).toBeGreaterThanOrEqual(limit + callers);
  expect(new Set(allowed.map((entry) => entry?.epoch)).size).toBeGreaterThan(1);

  const { commits, rows } = await readCommits(subject.served.metricsPort);
  expect(rows).toBeGreaterThanOrEqual(3 * limit - 1);
  expect(commits).toBe(rows);
});
