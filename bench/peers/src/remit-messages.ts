import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import {
  DecideBatchRequestSchema,
  DecideBatchResponseSchema,
  DecideRequestSchema,
  DecideResponseSchema,
} from "@remit/proto/decision";
import { idPlaceholder } from "../../src/http2/prepared.ts";
import { toolName } from "./remit-documents.ts";
import type { Request } from "./w1.ts";

const service = "/remit.v1.DecisionService";

/** A request of one action is a Decide, one of several a DecideBatch. */
export function remitPath(request: Request): string {
  return request.actions.length === 1 ? `${service}/Decide` : `${service}/DecideBatch`;
}

/** The request in protobuf, every call id the placeholder. */
export function remitRequest({ principal, resource, actions }: Request): Uint8Array {
  const { owner, manager, geography, status, version, scope, draft, locked } = resource;
  const about = { owner, manager, geography, status, version, scope, draft, locked };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const items = actions.map(
    (action): MessageInitShape<typeof DecideRequestSchema> => ({
      callId: idPlaceholder,
      tool: toolName(resource.kind, action),
      input: { case: "inputJson", value: json({ id: resource.id }) },
      context: { case: "contextJson", value: json({ principal, resource: about }) },
    }),
  );
  const [only, ...more] = items;
  return only !== undefined && more.length === 0
    ? toBinary(DecideRequestSchema, create(DecideRequestSchema, only))
    : toBinary(DecideBatchRequestSchema, create(DecideBatchRequestSchema, { items }));
}

/** The allowed actions of an answer; throws when an action was not decided. */
export function remitAllowed(answer: Uint8Array, { actions }: Request): Set<string> {
  const decisions =
    actions.length === 1
      ? [fromBinary(DecideResponseSchema, answer)]
      : fromBinary(DecideBatchResponseSchema, answer).items.map(({ outcome }) => {
          if (outcome.case === "decision") return outcome.value;
          throw new Error(`Remit did not decide: ${outcome.value?.message ?? "an empty item"}`);
        });
  if (decisions.length !== actions.length)
    throw new Error("Remit answered another number of actions than it was asked");
  return new Set(actions.filter((_, i) => decisions[i]?.effect === Effect.ALLOW));
}
