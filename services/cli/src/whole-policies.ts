import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type GetPoliciesResponse, GetPoliciesResponseSchema, type PolicyChoiceSchema } from "@remit/proto/admin";
import type { Clients } from "./clients.ts";
import { pagesOf } from "./pages.ts";

/**
 * Versions with their documents, of all pages; without choices what is in force. The revision is that of the first page: a
 * change that expects it is refused where anything has changed since.
 */
export async function wholePolicies(
  { policy }: Pick<Clients, "policy">,
  choices: readonly MessageInitShape<typeof PolicyChoiceSchema>[],
): Promise<GetPoliciesResponse> {
  const pages: GetPoliciesResponse[] = [];
  const asked = [...choices];
  for await (const page of pagesOf((of) => policy.getPolicies({ ...of, choices: asked }))) pages.push(page);
  const { revision = 0n, policyDigest = "" } = pages[0] ?? {};
  const policies = pages.flatMap((page) => page.policies);
  return create(GetPoliciesResponseSchema, { policies, revision, policyDigest });
}
