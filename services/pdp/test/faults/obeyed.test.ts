import { expect, test } from "vitest";
import { auditObeyed, type Entry, type Told } from "./obeyed.ts";
import type { Change } from "./timeline.ts";

const change = (name: string, version: number | null, bars: string[], security: bigint, policy: bigint): Change => ({
  ...{ name, after: { version, bars: new Set(bars) }, security, policy },
  ...{ digest: `digest-${version}`, polls: [Number(security + policy) * 10] },
});

const changes = [
  change("at first", 1, [], 1n, 1n),
  change("version 2", 2, [], 1n, 2n),
  change("version 3", 3, [], 1n, 3n),
  change("clerk is revoked", 3, ["agent:clerk"], 2n, 3n),
];

const told: Told = {
  ...{ decisionId: "one", epoch: 7n, n: 1n, allowed: true, rules: ["a-v3"], digest: "digest-3", revision: 4n },
  ...{ replayed: false, member: 0, tool: "load.a", against: ["agent:clerk"], acknowledged: 3, begun: 3 },
  ...{ floor: 4n, polls: 45, minRevision: 4n },
};
const entry: Entry = {
  ...{ epoch: 7n, n: 1n, allowed: true, rules: ["a-v3"], digest: "digest-3", security: 1n, policy: 3n },
};

/** What is found when an answer and its entry are otherwise. */
function found(asTold: Partial<Told>, asRecorded: Partial<Entry> = {}, entries: readonly Entry[] = [entry]) {
  const recorded = entries.map((one) => ({ ...one, ...asRecorded }));
  const { wrong } = auditObeyed({
    ...{ changes, told: [{ ...told, ...asTold }], entries: new Map([["one", recorded]]), pollsMax: 5 },
  });
  return wrong.map((line) => line.replace("one of member 0 ", ""));
}

const older = { rules: ["b-v2"], digest: "digest-2" };
const asOlder = { tool: "load.b", ...older, revision: 3n, floor: 0n } as const;

test("what was decided as things stood has nothing wrong with it", () => {
  expect(found({})).toEqual([]);
  // Before a member has heard of a change it may decide by what was before.
  expect(found({ ...asOlder, minRevision: 0n, polls: 44 }, { ...older, policy: 2n })).toEqual([]);
  // What was decided before a change is answered as it was, unless something stands in its way.
  expect(found({ ...asOlder, replayed: true, polls: 99 }, { ...older, policy: 2n })).toEqual([]);
  // What was allowed before is denied when it is asked again and something stands in its way.
  expect(found({ allowed: false, replayed: true, acknowledged: 4, begun: 4 })).toEqual([]);
  // A revocation that is asked for, and not acknowledged, may bind or not.
  expect(found({ begun: 4 })).toEqual([]);
  const denied = { allowed: false, rules: [] };
  expect(found({ ...denied, begun: 4, revision: 5n }, { ...denied, security: 2n })).toEqual([]);
});

test.each([
  ["an answer that was lost", found({}, {}, []), ["is not in the ledger"]],
  ["an answer that stands twice", found({}, {}, [entry, entry]), ["is in the ledger more than once"]],
  ["another record than the one named", found({ n: 2n }), ["differs from its entry: number"]],
  [
    "another effect than the record's",
    found({}, { allowed: false }),
    ["differs from its entry: effect", 'is denied by "a-v3", not as version 3 with nothing barred'],
  ],
  ["another revision than the record's", found({ revision: 5n }), ["differs from its entry: revision"]],
  [
    "a call that was allowed before and is denied with nothing in its way",
    found({ allowed: false, replayed: true }),
    ["differs from its entry: effect"],
  ],
  [
    "rules of one revision under another",
    found({ rules: ["a-v1"] }, { rules: ["a-v1"] }),
    ['is allowed by "a-v1", not as version 3 with nothing barred'],
  ],
  [
    "a digest of one revision under another",
    found({ digest: "digest-2" }, { digest: "digest-2" }),
    ["has a digest of another revision's policies", "has a digest of another revision's policies"],
  ],
  [
    "counters that were never there together",
    found({ ...asOlder, revision: 4n, polls: 0 }, { ...older, security: 2n, policy: 2n }),
    ["is older than 4, which it was to be decided under", "names 2 and 2, which the tenant never had together"],
  ],
  [
    "an older revision than the one asked for",
    found({ ...asOlder, polls: 0 }, { ...older, policy: 2n }),
    ["is older than 4, which it was to be decided under"],
  ],
  [
    "a revision that goes back",
    found({ ...asOlder, floor: 4n, minRevision: 0n, polls: 0 }, { ...older, policy: 2n }),
    ["names 3 after its member had named 4"],
  ],
  [
    "a change that is not obeyed in so many polls",
    found({ ...asOlder, minRevision: 0n }, { ...older, policy: 2n }),
    ["was judged under policy 2, 5 polls after 3 (version 3)"],
  ],
  [
    "a call that is allowed after the revocation was acknowledged",
    found({ acknowledged: 4, begun: 4 }),
    ["was allowed against what had been acknowledged", "was judged under security 1 after 2 had been acknowledged"],
  ],
  [
    "a call that was allowed before and is again, after the revocation",
    found({ acknowledged: 4, begun: 4, replayed: true }),
    ["was allowed against what had been acknowledged"],
  ],
  [
    "a call that is allowed under the revision that revoked it",
    found({ begun: 4, revision: 5n }, { security: 2n }),
    ['is allowed by "a-v3", not as version 3 with agent:clerk'],
  ],
])("the audit finds %s", (_name, wrong, expected) => {
  expect([...wrong].sort()).toEqual([...expected].sort());
});

test("it tells after how many polls the slowest still went by what was before", () => {
  const entries = new Map([["one", [{ ...entry, ...older, policy: 2n }]]]);
  const late = { ...told, ...asOlder, minRevision: 0n, polls: 43 };
  expect(auditObeyed({ changes, told: [late], entries, pollsMax: 5 })).toEqual({ wrong: [], pollsSeen: 3 });
});
