import { afterAll, beforeAll, expect, test } from "vitest";
import { everyMethod } from "../support/descriptors.ts";
import { failure } from "../support/pdp.ts";
import { budgetRows } from "./isolation-budgets.ts";
import { loginPlane } from "./isolation-login.ts";
import { revocationRows } from "./isolation-revocations.ts";
import { isolationTable, type Probe } from "./isolation-table.ts";
import { type Neighbours, neighbours, THEIRS } from "./neighbours.ts";

const table = { ...isolationTable, ...budgetRows, ...revocationRows, ...loginPlane };
let all: Neighbours;
let before: string;

beforeAll(async () => {
  all = await neighbours();
  before = await all.theirRows();
});

afterAll(() => all[Symbol.asyncDispose]());

const everyRpc = async () => (await everyMethod()).map(({ parent, name }) => `${parent.typeName}/${name}`);

const written = (value: unknown) =>
  JSON.stringify(value, (_name, one) => (typeof one === "bigint" ? `${one}` : one)) ?? "";

/** What came of a request, as a text without the thing that it asked about. */
async function outcome(asked: string, ask: (asked: string) => Promise<unknown>): Promise<string> {
  const answer = await ask(asked).then(
    (value) => ({ answered: value }),
    async (error) => {
      const { code, message, detail } = await failure(Promise.reject(error));
      const { reason, field, limit, fix, retryable } = detail;
      return { code, message, reason, field, limit, fix, retryable };
    },
  );
  // How fresh an answer is tells nothing of anybody.
  return written(answer)
    .replaceAll(asked, "(asked)")
    .replaceAll(/"stalenessMs":\d+/g, '"stalenessMs":"(any)"');
}

/** Whether a text tells anything that only the others have. */
function marks(text: string): string[] {
  const { token, sessionId, decisionId, reportedId, callerId } = all.theirs;
  return [THEIRS, token, sessionId, decisionId, reportedId, callerId].filter((mark) => text.includes(mark));
}

async function check(probe: Probe): Promise<void> {
  if ("refused" in probe) {
    expect(await failure(probe.refused())).toMatchObject({
      code: "PermissionDenied",
      detail: { reason: "role_missing" },
    });
    return;
  }
  if ("ours" in probe) {
    const text = await outcome("(nothing)", probe.ours);
    expect(marks(text), text).toEqual([]);
    return;
  }
  const theirs = await outcome(probe.theirs, probe.alike);
  const nobodys = await outcome(probe.nobodys, probe.alike);
  expect(theirs).toBe(nobodys);
  expect(marks(theirs), theirs).toEqual([]);
}

test("every RPC of both planes has a row in the table", async () => {
  const rpcs = await everyRpc();
  expect(rpcs.length).toBeGreaterThan(20);
  expect(Object.keys(table).sort()).toEqual(rpcs.sort());
});

test.each(Object.keys(table))("%s neither shows nor tells apart what is another tenant's", async (rpc) => {
  const probes = table[rpc]?.(all) ?? [];
  expect(probes.length).toBeGreaterThan(0);
  for (const probe of probes) await check(probe);
});

test("after all that was tried, not a row of the others has changed", async () => {
  expect(before).toContain(`${THEIRS}-rules`);
  expect(await all.theirRows()).toBe(before);
});

test("and what the others may do themselves, they still may", async () => {
  const { house, headers, sessionId, decisionId } = all.theirs;
  expect((await house.clients.sessions.getSession({ sessionId }, { headers })).session?.id).toBe(sessionId);
  const found = await house.clients.ledger.getDecision({ decisionId }, { headers });
  expect(found.decision?.id).toBe(decisionId);
  expect(marks(written(found)).length).toBeGreaterThan(1);
});
