import { fromBinary } from "@bufbuild/protobuf";
import { anyIs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { ErrorDetailSchema } from "@remit/proto/common";
import { StatusSchema } from "@remit/proto/status";
import { expect, test } from "vitest";
import { BrokenInvariant } from "../foundation/assert.ts";
import { Fault } from "../foundation/fault.ts";
import type { Log } from "../foundation/log.ts";
import { LedgerUnavailable } from "../ledger/index.ts";
import { logCauses, toCallError, toConnectError, toGrpcError } from "./errors.ts";

const nowhere = () => {};

test("the error of a frame carries the canonical number and the detail", () => {
  const error = toCallError(new Fault("conflict", "call_id_reused", "taken", { field: "call_id" }), nowhere);
  expect(error).toMatchObject({
    code: 6,
    message: "taken",
    detail: { reason: "call_id_reused", field: "call_id", limit: "", fix: "", retryable: false },
  });
});

test("a broken invariant shows nothing but that the service failed", () => {
  const error = toConnectError(new BrokenInvariant("the hold of acme is negative"), nowhere);
  expect(error.code).toBe(Code.Internal);
  expect(error.message).not.toContain("acme");
});

test("what is thrown and is no error at all is internal", () => {
  expect(toCallError("a string", nowhere).code).toBe(13);
  expect(toCallError(undefined, nowhere).code).toBe(13);
});

function aborted(): AbortController {
  const controller = new AbortController();
  controller.abort();
  return controller;
}

test("an abort is CANCELLED", () => {
  expect(toGrpcError(aborted().signal.reason, nowhere).code).toBe(1);
});

test("the gRPC lane's error packs a status with the detail as an Any", () => {
  const { code, details, metadata } = toGrpcError(new LedgerUnavailable("no"), nowhere);
  expect(code).toBe(14);
  const [bytes] = metadata.get("grpc-status-details-bin");
  const status = fromBinary(StatusSchema, bytes as Buffer);
  expect(status).toMatchObject({ code: 14, message: details });
  const [any] = status.details;
  expect(any && anyIs(any, ErrorDetailSchema)).toBe(true);
  expect(any && fromBinary(ErrorDetailSchema, any.value)).toMatchObject({
    reason: "ledger_unavailable",
    retryable: true,
  });
});

test("causes are logged: each internal one, and of an outage one a second", () => {
  const lines: [string, unknown, string][] = [];
  const write = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void lines.push([level, fields.err, message]);
  const log: Log = { info: write("info"), warn: write("warn"), error: write("error") };
  let now = 0;
  const sink = logCauses(log, () => now);
  const cause = new Error("ECONNREFUSED");

  for (let times = 0; times < 3; times++) sink(new LedgerUnavailable("no", cause));
  now = 1000;
  sink(new LedgerUnavailable("no", cause));
  sink(new Fault("invalid", "request_invalid", "the caller's own doing"));
  sink(aborted().signal.reason);
  const bug = new TypeError("bug");
  sink(bug);
  sink(bug);
  sink(new Fault("internal", "internal", "sorry", {}, cause));

  expect(lines.map(([level, err]) => [level, err])).toEqual([
    ["warn", cause],
    ["warn", cause],
    ["error", bug],
    ["error", bug],
    ["error", cause],
  ]);
});

test("a caller that hung up is told so, should it still listen", () => {
  expect(toCallError(aborted().signal.reason)).toMatchObject({ code: 1, detail: { reason: "cancelled" } });
});
