import { create } from "@bufbuild/protobuf";
import {
  type BatchItem,
  BatchItemSchema,
  type DecideBatchRequest,
  type DecideBatchResponse,
  DecideBatchResponseSchema,
  type DecideRequest,
} from "@remit/proto/decision";
import { invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Unary } from "./call.ts";
import { decideFor } from "./decide.ts";
import type { Desk } from "./desk.ts";
import { toCallError } from "./errors.ts";

/** `DecideBatch`: independent calls of one session. One that is in error does not spoil the others. */
export function decideBatchRpc(desk: Desk): Unary<DecideBatchRequest, DecideBatchResponse> {
  return async (request, call) => {
    const who = desk.whoAsks(call);
    await who();
    const { items } = request;
    if (items.length === 0) throw invalid("items", "the batch is empty", { fix: "send at least one call" });
    if (items.length > limits.batchItemsMax) {
      throw invalid("items", `the batch has ${items.length} items`, { limit: `${limits.batchItemsMax} items` });
    }
    const one = async (item: DecideRequest): Promise<BatchItem> => {
      try {
        const value = await decideFor(desk, item, who, call);
        return create(BatchItemSchema, { outcome: { case: "decision", value } });
      } catch (error) {
        return create(BatchItemSchema, { outcome: { case: "error", value: toCallError(error, desk.sink) } });
      }
    };
    // All start in order, so that what is held is held in order; small ones share one commit, and large ones go on in
    // turns of their own.
    const started = items.map(one);
    return create(DecideBatchResponseSchema, { items: await Promise.all(started) });
  };
}
