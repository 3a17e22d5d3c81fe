import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import type { TenantRows } from "./policy-store.ts";
import { buildSnapshot } from "./snapshot.ts";

const building = { pause: async () => undefined };

const policyText = (name: string, when: string) => `apiVersion: remit/v1
kind: Policy
metadata: { name: ${name} }
spec: { rules: [{ id: r, match: { tools: [pay] }, effect: allow, when: ${when} }] }
`;

const toolText = (property: string) => `apiVersion: remit/v1
kind: Tool
metadata: { name: pay }
spec: { risk: write, inputSchema: { type: object, additionalProperties: false, properties: { ${property}: { type: number } } } }
`;

function read(text: string) {
  const { documents, problems } = parseDocuments([{ file: "rows.yaml", text }]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return documents;
}

const policy = (name: string, version: number, when = '"true"') => {
  const [document] = read(policyText(name, when)).policies;
  if (!document) throw new Error("no policy");
  return { document, version, digest: `sha256:${name}${version}` };
};

/** Rows as a store reads them, every time other objects: two policies in force, and one more version that is tried. */
function rowsOf(revision: bigint, shareBasisPoints: number, tool = "amount"): TenantRows {
  return {
    revisions: { security: 1n, policy: revision },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: [policy("house", 1), policy("yard", 1)],
    tools: read(toolText(tool)).tools.map((document) => ({ document, digest: `sha256:${tool}` })),
    ...{ agents: [], budgets: [], groups: [], revocations: [] },
    rollout: { id: "r-1", shareBasisPoints, policies: [policy("yard", 2, "input.amount > 1")] },
  };
}

const compiledOf = (compiled: {
  readonly policies: readonly { readonly document: { metadata: { name: string } } }[];
}) => new Map(compiled.policies.map((one) => [one.document.metadata.name, one]));

test("what is tried shares with what is in force all that is the same, and has another digest", async () => {
  const snapshot = await buildSnapshot("t", rowsOf(1n, 0), undefined, building);
  const candidate = snapshot.rollout?.candidate;
  if (!candidate) throw new Error("nothing is tried");
  const [inForce, tried] = [compiledOf(snapshot.compiled), compiledOf(candidate.compiled)];
  expect(tried.get("house")).toBe(inForce.get("house"));
  expect(tried.get("yard")).not.toBe(inForce.get("yard"));
  expect(candidate.compiled.tools.get("pay")?.checkInput).toBe(snapshot.compiled.tools.get("pay")?.checkInput);
  expect(candidate.policies.map(({ document: { metadata }, version }) => [metadata.name, version])).toEqual([
    ["house", 1],
    ["yard", 2],
  ]);
  expect(candidate.policyDigest).not.toBe(snapshot.policyDigest);
  // What it is called once it is in force.
  const { rollout, ...rest } = rowsOf(2n, 0);
  const promoted = { ...rest, policies: [policy("house", 1), ...(rollout?.policies ?? [])] };
  expect((await buildSnapshot("t", promoted, snapshot, building)).policyDigest).toBe(candidate.policyDigest);
});

test("another share compiles nothing, and what it decides by is of the new revision", async () => {
  const first = await buildSnapshot("t", rowsOf(1n, 0), undefined, building);
  const next = await buildSnapshot("t", rowsOf(2n, 500), first, building);
  expect(next.rollout?.shareBasisPoints).toBe(500);
  expect(next.rollout?.candidate?.compiled).toBe(first.rollout?.candidate?.compiled);
  expect(next.rollout?.candidate?.revisions.policy).toBe(2n);
});

test("versions that fit a changed tool no more leave their last good compilation, and none after a restart", async () => {
  const first = await buildSnapshot("t", rowsOf(1n, 500), undefined, building);
  const moved = rowsOf(2n, 500, "sum");
  const next = await buildSnapshot("t", moved, first, building);
  expect(next.broken).toBeUndefined();
  expect(next.rollout?.broken?.[0]?.message).toContain("amount");
  expect(next.rollout?.candidate?.compiled).toBe(first.rollout?.candidate?.compiled);
  expect(next.rollout?.candidate?.revisions.policy).toBe(2n);
  const anew = await buildSnapshot("t", moved, undefined, building);
  expect(anew.rollout).toMatchObject({ candidate: undefined, shareBasisPoints: 500 });
  expect(anew.usable).toBe(true);
});

test("another rollout takes nothing over from the one before", async () => {
  const first = await buildSnapshot("t", rowsOf(1n, 500), undefined, building);
  const moved = rowsOf(2n, 500, "sum");
  const other = { ...moved, rollout: moved.rollout && { ...moved.rollout, id: "r-2" } };
  const next = await buildSnapshot("t", other, first, building);
  expect(next.rollout).toMatchObject({ id: "r-2", candidate: undefined });
});
