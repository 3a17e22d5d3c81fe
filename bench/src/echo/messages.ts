import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Effect, Mode } from "@remit/proto/common";
import { DecideRequestSchema, type DecideResponseSchema } from "@remit/proto/decision";
import { idPlaceholder } from "../http2/prepared.ts";

/** A tool call as an agent makes it; `fillerBytes` of text stand in it, so that its ledger entry reaches a planned size. */
export function callInput(fillerBytes: number): Record<string, unknown> {
  return {
    account: "DE89370400440532013000",
    amount: 125.5,
    country: "DE",
    memo: "Invoice 2026-1107, second instalment",
    lines: "The goods were delivered in full. ".repeat(Math.ceil(fillerBytes / 34)).slice(0, fillerBytes),
  };
}

export const callContext = { channel: "chat", user: { id: "u-1042", tier: "gold" }, ip: "10.20.3.4" };

function request(tool: string, input: unknown): MessageInitShape<typeof DecideRequestSchema> {
  return {
    callId: idPlaceholder,
    tool,
    input: { case: "inputJson", value: Buffer.from(JSON.stringify(input)) },
    context: { case: "contextJson", value: Buffer.from(JSON.stringify(callContext)) },
    supportedConstraints: ["timeout", "maxOutputBytes"],
  };
}

/** A DecideRequest whose call id is the placeholder, in protobuf. */
export function decideBytes(tool: string, input: unknown): Uint8Array {
  return toBinary(DecideRequestSchema, create(DecideRequestSchema, request(tool, input)));
}

/** The same in JSON, as the Connect lane takes it. */
export function decideJson(tool: string, input: unknown): Uint8Array {
  const { callId, supportedConstraints } = create(DecideRequestSchema, request(tool, input));
  return Buffer.from(JSON.stringify({ callId, tool, input, context: callContext, supportedConstraints }));
}

const digest = `sha256:${"8f".repeat(32)}`;

/** An answer with every field that an allowed call's answer has. */
export function cannedDecision(): MessageInitShape<typeof DecideResponseSchema> {
  const at = timestampFromMs(Date.UTC(2026, 0, 1));
  return {
    decisionId: "019a0000-0000-7000-8000-000000000000",
    attempt: 1,
    effect: Effect.ALLOW,
    mode: Mode.ENFORCED,
    reason: { code: "rule_allowed", message: "Allowed." },
    rules: [{ policy: "payments", version: 1, rule: "small-transfers" }],
    executeBefore: at,
    reportBy: at,
    policyDigest: digest,
    inputDigest: digest,
    effectiveInputDigest: digest,
    revision: 12n,
    record: { epoch: 3n, n: 123_456n },
    traceId: "0af7651916cd43dd8448eb211c80319c",
    evaluatedAt: at,
  };
}
