import { create } from "@bufbuild/protobuf";
import { type GetPoliciesRequest, type GetPoliciesResponse, GetPoliciesResponseSchema } from "@remit/proto/admin";
import { type Choice, revisionNumber, type ShownPolicy, storedPage } from "../../decisions/index.ts";
import { canonicalInSlices } from "../../foundation/canonical-in-slices.ts";
import { limits } from "../../foundation/limits.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import type { Caller } from "../../identities/index.ts";
import type { StoredPage, StoredPolicy } from "../../policies/index.ts";
import type { Unary } from "../call.ts";
import { choicesBefore, choicesFrom, versionPlace, versionToken, versionToWire } from "../convert/policy.ts";
import { problemsToWire } from "../convert/problem.ts";
import type { AdminDesk } from "./desk.ts";
import { pageAsked, pageOf } from "./pages.ts";

const shownToWire = async ({ version, document, source, problems }: ShownPolicy) => ({
  version: versionToWire(version),
  document: await canonicalInSlices(document, turnOfTheLoop),
  source,
  problems: await problemsToWire(problems),
});

/**
 * Versions with their documents: as many as a page holds are read, the last of them perhaps in vain. A token is where the
 * page before ended: the version of what is in force, the count of those that were chosen.
 */
export function policiesWhole(desk: AdminDesk): Unary<GetPoliciesRequest, GetPoliciesResponse> {
  const bytesMax = limits.registeredListedBytesMax;

  const pageFrom = async (
    caller: Caller,
    asked: { readonly most: number; readonly whole: boolean },
    { heads, stored }: StoredPage,
    token: (one: StoredPolicy) => string,
  ) => {
    const toWire = async (one: StoredPolicy) => shownToWire(await desk.lifecycle.show(caller, one));
    return pageOf(asked, stored, { token, toWire, more: stored.length < heads.length });
  };

  const chosen = async (caller: Caller, request: GetPoliciesRequest, choices: readonly Choice[]) => {
    const asked = pageAsked(request, (token) => choicesBefore(token, choices));
    const page = await storedPage(desk.policies, caller.tenant, choices.slice(asked.after), bytesMax);
    return pageFrom(caller, asked, page, (one) => String((asked.after ?? 0) + page.stored.indexOf(one) + 1));
  };

  const inForce = async (caller: Caller, request: GetPoliciesRequest) => {
    const asked = pageAsked(request, versionPlace);
    const page = await desk.policies.inForcePage(caller.tenant, asked.after?.policy, asked.most + 1, bytesMax);
    return pageFrom(caller, asked, page, ({ version }) => versionToken(version));
  };

  return async (request, call) => {
    const caller = desk.caller(call);
    const choices = choicesFrom(request.choices, limits.policyChoicesMax);
    // The revision first: what is read after it may be newer, and a change that expects it is refused then.
    const { revisions, policyDigest } = await desk.snapshots.current(caller.tenant);
    const page = await (choices.length > 0 ? chosen(caller, request, choices) : inForce(caller, request));
    const { items: policies, nextPageToken } = page;
    const revision = revisionNumber(revisions);
    return create(GetPoliciesResponseSchema, { policies, revision, policyDigest, nextPageToken });
  };
}
