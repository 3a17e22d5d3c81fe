import { fromBinary } from "@bufbuild/protobuf";
import { DecideBatchRequestSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { idWriter } from "../../src/http2/prepared.ts";
import { allowedActions, checkResources } from "./cerbos-messages.ts";
import { cerbosPolicies } from "./cerbos-policies.ts";
import { withIds } from "./peer.ts";
import { remitDocuments } from "./remit-documents.ts";
import { remitPath, remitRequest } from "./remit-messages.ts";
import { mixedRequests, singles } from "./w1.ts";

const requests = mixedRequests("00003");
const [first] = requests;

test("a batch holds one call an action, each with an id of its own and the tool of that action", () => {
  if (first === undefined) throw new Error("no request");
  const { items } = fromBinary(DecideBatchRequestSchema, withIds(remitRequest(first), idWriter("x")));
  expect(items.map((item) => item.tool)).toEqual(first.actions.map((action) => `leave_request_00003.${action}`));
  expect(new Set(items.map((item) => item.callId)).size).toBe(11);
});

test("one action is a Decide, several are a DecideBatch", () => {
  expect(new Set(requests.map(remitPath))).toEqual(new Set(["/remit.v1.DecisionService/DecideBatch"]));
  expect(new Set(singles(requests).map(remitPath))).toEqual(new Set(["/remit.v1.DecisionService/Decide"]));
});

test("a Cerbos request differs from call to call in its request id alone", () => {
  if (first === undefined) throw new Error("no request");
  const body = checkResources(first);
  const write = idWriter("x");
  const [one, two] = [withIds(body, write), withIds(body, write)];
  expect(one.equals(two)).toBe(false);
  expect(one.subarray(2 + 24).equals(two.subarray(2 + 24))).toBe(true);
});

test("an answer that leaves an action out is no answer", () => {
  expect(() => allowedActions(new Uint8Array(), ["view"])).toThrow('did not answer the action "view"');
});

test("a copy of the set is eight Cerbos policies, and thirteen tools with one policy in Remit", () => {
  expect(cerbosPolicies("00003").length).toBe(8);
  const { tools, policy } = remitDocuments("00003");
  expect(tools.length).toBe(13);
  expect(policy).toMatchObject({ kind: "Policy", metadata: { name: "w1-00003" } });
});
