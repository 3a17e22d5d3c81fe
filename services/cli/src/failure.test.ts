import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema } from "@remit/proto/common";
import { expect, test } from "vitest";
import { failureOf } from "./failure.ts";
import { usage } from "./stop.ts";

function refused(code: Code, reason: string): ConnectError {
  const value = { reason, field: "input.amount", limit: "2^53−1", fix: "send it as a string", retryable: true };
  return new ConnectError("the number is too large", code, undefined, [{ desc: ErrorDetailSchema, value }]);
}

test("an error of the service is told with its reason, field, limit and fix", () => {
  const { code, lines } = failureOf(refused(Code.InvalidArgument, "number_out_of_range"));
  expect(code).toBe(2);
  expect(lines).toEqual([
    "error: the number is too large (number_out_of_range)",
    "  field: input.amount",
    "  limit: 2^53−1",
    "  fix: send it as a string",
    "  the same request may pass later",
  ]);
});

test.each([
  [Code.InvalidArgument, 2],
  [Code.Unauthenticated, 1],
  [Code.PermissionDenied, 1],
  [Code.NotFound, 1],
  [Code.AlreadyExists, 1],
  [Code.FailedPrecondition, 1],
  [Code.Aborted, 1],
  [Code.Unavailable, 3],
  [Code.DeadlineExceeded, 3],
  [Code.ResourceExhausted, 3],
  [Code.Internal, 3],
])("status %s ends with %d", (status, code) => {
  expect(failureOf(refused(status, "some_reason")).code).toBe(code);
});

test("a service that is not there is told with its address and how to start one", () => {
  const cause = new Error("connect ECONNREFUSED 127.0.0.1:7081");
  const { code, lines } = failureOf(new ConnectError("fetch failed", Code.Unavailable, undefined, undefined, cause));
  expect(code).toBe(3);
  expect(lines.join("\n")).toContain("ECONNREFUSED 127.0.0.1:7081");
  expect(lines.join("\n")).toContain("remit serve");
});

test("a wrong call is told with what to write instead", () => {
  expect(failureOf(usage("no session is named", "export REMIT_SESSION"))).toEqual({
    code: 2,
    lines: ["error: no session is named", "  fix: export REMIT_SESSION"],
  });
});

test("a defect of ours keeps its stack", () => {
  const { code, lines } = failureOf(new TypeError("x is not a function"));
  expect(code).toBe(3);
  expect(lines[0]).toContain("failure.test.ts");
});
