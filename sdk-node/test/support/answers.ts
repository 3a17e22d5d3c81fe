import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import { Effect, ErrorDetailSchema, Mode } from "@remit/proto/common";
import { type DecideRequest, type DecideResponse, DecideResponseSchema } from "@remit/proto/decision";
import { type OpenSessionResponse, OpenSessionResponseSchema, Session_State } from "@remit/proto/session";
import { StatusSchema } from "@remit/proto/status";
import { digest } from "../../../services/pdp/src/foundation/digest.ts";
import { parseStrict } from "../../../services/pdp/src/foundation/strict-json.ts";

/** An RPC error that a test wants answered. */
export interface Failure {
  readonly code: number;
  readonly message: string;
  readonly reason?: string;
  readonly retryable?: boolean;
}

/** An answer that allows the call, as the service would write it. */
export function allow(
  request: DecideRequest,
  more: MessageInitShape<typeof DecideResponseSchema> = {},
): DecideResponse {
  const bytes = request.input.case === "inputJson" ? request.input.value : new Uint8Array();
  const inputDigest = digest("input", parseStrict(bytes, "input").canonical);
  const answer: MessageInitShape<typeof DecideResponseSchema> = {
    decisionId: `decision-of-${request.callId}`,
    attempt: 1,
    effect: Effect.ALLOW,
    mode: Mode.ENFORCED,
    reason: { code: "rule_allowed", message: "Allowed." },
    rules: [{ policy: "payments", version: 3, rule: "small-transfers" }],
    inputDigest,
    effectiveInputDigest: inputDigest,
    policyDigest: "sha256:00",
    record: { epoch: 1n, n: 1n },
  };
  return create(DecideResponseSchema, { ...answer, ...more } as MessageInitShape<typeof DecideResponseSchema>);
}

export function encoded<O extends DescMessage>(schema: O, message: MessageShape<O>): Buffer {
  return Buffer.from(toBinary(schema, message));
}

export function serviceError({ code, message, reason, retryable = false }: Failure) {
  const metadata = new Metadata();
  if (reason !== undefined) {
    const detail = create(ErrorDetailSchema, { reason, retryable });
    const status = create(StatusSchema, { code, message, details: [anyPack(ErrorDetailSchema, detail)] });
    metadata.set("grpc-status-details-bin", encoded(StatusSchema, status));
  }
  return { code, details: message, metadata };
}

export function isFailure(value: unknown): value is { readonly fail: Failure } {
  return typeof value === "object" && value !== null && "fail" in value;
}

/** What a session is answered with: its token counts up with each renewal. */
export function sessionAnswer(id: string, token: string, tokenExpiresAtMs: number): OpenSessionResponse {
  return create(OpenSessionResponseSchema, {
    session: {
      id,
      agent: "support",
      principal: { id: "ada", verified: false },
      runId: "run",
      state: Session_State.OPEN,
    },
    token,
    tokenExpiresAt: timestampFromMs(tokenExpiresAtMs),
  });
}
