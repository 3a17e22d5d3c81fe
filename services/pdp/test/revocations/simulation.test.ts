import { expect, test } from "vitest";
import { simulateRevocations } from "./simulate.ts";
import { type RevocationRules, revocationRules } from "./world.ts";

const SCHEDULES = 300;

test("however replicas, revocations and requests overlap, nothing that is asked after an acknowledgement is allowed", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const simulated = await simulateRevocations(seed, revocationRules);
    expect(simulated.violations, `seed ${seed}`).toEqual([]);
    for (const [what, times] of simulated.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  // A simulation in which something never happened proves nothing about it.
  const codes = ["agent_suspended", "session_revoked", "principal_suspended", "halted"];
  const expected = [
    ...["decide", "ask again", "explain", "renew", "open"].map((way) => `${way}: allowed`),
    ...["decide", "ask again", "explain"].flatMap((way) =>
      [...codes, "tool_suspended"].map((code) => `${way}: ${code}`),
    ),
    ...codes.map((code) => `renew: ${code}`),
    ...["agent", "session", "principal", "tool", "labels", "tenant"].map((kind) => `revoked: ${kind}`),
  ];
  expect(expected.filter((what) => !seen.has(what))).toEqual([]);
});

test("a session that is never read again is no danger, since its revocation stands in the snapshot", async () => {
  for (let seed = 1; seed <= SCHEDULES / 3; seed++) {
    const simulated = await simulateRevocations(seed, { ...revocationRules, sessions: "never read again" });
    expect(simulated.violations, `seed ${seed}`).toEqual([]);
  }
});

const wrongRules: readonly (readonly [string, Partial<RevocationRules>])[] = [
  ["the revision moves after the acknowledgement", { moves: "after the acknowledgement" }],
  ["the commit takes what was judged under an older revision", { commit: "takes all" }],
  ["the snapshot says nothing of what is revoked", { snapshot: "nothing" }],
  [
    "neither the snapshot names a revoked session nor is the session read again",
    { snapshot: "all but sessions", sessions: "never read again" },
  ],
  ["an answer from before is given again by what is remembered", { replays: "go by what is remembered" }],
  ["what passes no commit goes by what is held", { noCommit: "goes by what is held" }],
];

test.each(wrongRules)("the simulation catches: %s", async (_name, wrong) => {
  let caught = false;
  for (let seed = 1; seed <= SCHEDULES && !caught; seed++) {
    caught = (await simulateRevocations(seed, { ...revocationRules, ...wrong })).violations.length > 0;
  }
  expect(caught).toBe(true);
});
