import { expect, test } from "vitest";
import { allows, furtherRequests, leaveActions, mixedRequests, sampledSuffixes, singles } from "./w1.ts";

test("every timed request has something to allow and something to deny", () => {
  for (const request of mixedRequests("00007")) {
    const answers = new Set(request.actions.map((action) => allows(request, action)));
    expect([request.resource.id, ...answers].toSorted()).toEqual([request.resource.id, false, true].toSorted());
  }
});

test("a request asks ten or eleven actions of one resource", () => {
  const counts = mixedRequests("00007").map((request) => request.actions.length);
  expect(counts).toEqual([11, 11, 11, 11, 10, 10, 11, 10]);
});

test("an administrator may do anything, a personal deny leaves nothing, the base version little", () => {
  const allowed = furtherRequests("00007").map((request) =>
    request.actions.filter((action) => allows(request, action)),
  );
  expect(allowed).toEqual([[...leaveActions], [...leaveActions], ["view"], [], ["view:public"]]);
});

test("single requests ask each action of each request once", () => {
  const requests = mixedRequests("00007");
  expect(singles(requests).length).toBe(requests.reduce((sum, request) => sum + request.actions.length, 0));
});

test("the sampled copies are spread over all of them", () => {
  expect(sampledSuffixes(100, 4)).toEqual(["00000", "00025", "00050", "00075"]);
  expect(sampledSuffixes(2, 4)).toEqual(["00000", "00001"]);
});
