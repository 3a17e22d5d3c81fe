import { afterAll, beforeAll, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse({ clock: settableClock(Date.parse("2026-03-01T09:00:00Z")) });
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterAll(() => house.close());

// What differs from run to run, or with every document of the house.
const ownWords: Readonly<Record<string, unknown>> = {
  policyDigest: `sha256:${"5f".repeat(32)}`,
  revision: "6",
  stalenessMs: 40,
  decisionId: "019ca8d0-4a00-7000-8000-000000000001",
};
const records: Readonly<Record<string, unknown>> = {
  Decide: { epoch: "1", n: "9" },
  Report: { epoch: "1", n: "10" },
};

function settled(value: unknown, words: Readonly<Record<string, unknown>> = ownWords): unknown {
  if (Array.isArray(value)) return value.map((inner) => settled(inner, words));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, words[key] ?? settled(inner, words)]));
}

/** One exchange as curl would have it: a body, the status of HTTP, a body. */
async function post(what: string, method: "Decide" | "Report", request: Record<string, unknown>) {
  const response = await fetch(`http://${house.pdp.httpAddress}/remit.v1.DecisionService/${method}`, {
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/json",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    },
    body: JSON.stringify(request),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  const told = settled(answer, { ...ownWords, record: records[method] });
  return { what, request: settled(request), status: response.status, answer: told, raw: answer };
}

test("the examples of docs/codes.md are what plain JSON is answered; run vitest with --update on this file after a change", async () => {
  const call = { callId: "invoice-2041", tool: "payments.transfer", input: { amount: 40, to: "Nile Trading" } };
  const decided = await post("A call", "Decide", call);
  const report = {
    decisionId: decided.raw.decisionId,
    outcome: "OUTCOME_SUCCEEDED",
    actual: [{ unit: "EUR", value: "40.00" }],
  };
  const reported = await post("Its report, to `/remit.v1.DecisionService/Report`", "Report", report);
  const { callId: _, ...nameless } = call;
  const refused = await post("A call without an id", "Decide", nameless);
  const examples = [decided, reported, refused].map(({ raw: __, ...example }) => example);
  expect(examples.map(({ status }) => status)).toEqual([200, 200, 400]);
  await expect(`${JSON.stringify(examples, undefined, 2)}\n`).toMatchFileSnapshot("../codes/example.txt");
});
