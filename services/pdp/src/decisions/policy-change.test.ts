import { expect, test } from "vitest";
import { toldOfPolicies } from "./policy-change.ts";

const made = { by: "c-1", expected: { security: 1n, policy: 2n } };

test("an entry tells which rollout a change by name has ended, and says nothing where it ended none", () => {
  const choices = [{ policy: "house", version: 3 }];
  const kind = "policies_activated";
  expect(toldOfPolicies({ kind, choices, ...made, overtakes: "r-1" })).toEqual({ policies: choices, overtakes: "r-1" });
  expect(toldOfPolicies({ kind, choices, ...made, overtakes: undefined })).toEqual({ policies: choices });
});

test("an entry of a way back or of a promotion tells what was in force before", () => {
  const choices = [{ policy: "house", version: 3, from: 5 }];
  const back = toldOfPolicies({ kind: "policies_rolled_back", choices, ...made, overtakes: undefined });
  expect(back).toEqual({ policies: choices });
  expect(toldOfPolicies({ kind: "rollout_promoted", rollout: "r-1", choices, ...made })).toEqual({
    ...{ rollout: "r-1", policies: choices },
  });
});
