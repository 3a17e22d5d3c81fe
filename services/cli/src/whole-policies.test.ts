import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { PolicyService } from "@remit/proto/admin";
import { expect, test } from "vitest";
import { wholePolicies } from "./whole-policies.ts";

/** What is in force, a page each; where it says so, none is answered from a page on. */
function service(names: readonly string[], failsAt = names.length) {
  const asked: number[] = [];
  const transport = createRouterTransport((router) =>
    router.service(PolicyService, {
      getPolicies: ({ pageToken, choices }) => {
        const at = Number(pageToken || 0);
        asked.push(choices.length);
        if (at >= failsAt) throw new ConnectError("the store is away", Code.Unavailable);
        const policies = [{ version: { policy: names[at] ?? "" } }];
        return { policies, revision: BigInt(7 + at), nextPageToken: at + 1 < names.length ? String(at + 1) : "" };
      },
    }),
  );
  return { clients: { policy: createClient(PolicyService, transport) }, asked };
}

test("all pages are one answer, as of the revision of the first, and each asks for the same choices", async () => {
  const { clients, asked } = service(["a", "b", "c"]);
  const choices = [{ policy: "a" }, { policy: "b", version: 2 }];
  const { policies, revision, nextPageToken } = await wholePolicies(clients, choices);
  expect(policies.map(({ version }) => version?.policy)).toEqual(["a", "b", "c"]);
  expect([revision, nextPageToken]).toEqual([7n, ""]);
  expect(asked).toEqual([2, 2, 2]);
});

test("where a page cannot be had, there is no part of an answer", async () => {
  for (const failsAt of [0, 1, 2]) {
    await expect(wholePolicies(service(["a", "b", "c"], failsAt).clients, [])).rejects.toThrow("the store is away");
  }
});
