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
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Unary } from "./call.ts";
import { decideFor } from "./decide.ts";
import type { Desk } from "./desk.ts";
import { toCallError } from "./errors.ts";

/** Calls of one batch, and bytes of what they carry, that are judged in one turn. */
const CALLS_AT_ONCE_MAX = 16;
const BYTES_AT_ONCE_MAX = 8 * 1024;
/** What came as a message, not as text, is measured by nobody here. */
const UNMEASURED_BYTES = 1024;

function bytesOf({ input, context, answers }: DecideRequest): number {
  const sizes = [input, context, answers].map(({ value }) => {
    if (value === undefined) return 0;
    return value instanceof Uint8Array ? value.length : UNMEASURED_BYTES;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

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
    // All start in order, so that what is held is held in order; a few small ones share one commit. What is more is
    // judged in several turns, so that others are answered in between.
    const started: Promise<BatchItem>[] = [];
    let bytes = 0;
    for (const item of items) {
      if (started.length > 0 && (started.length % CALLS_AT_ONCE_MAX === 0 || bytes > BYTES_AT_ONCE_MAX)) {
        bytes = 0;
        await turnOfTheLoop();
      }
      started.push(one(item));
      bytes += bytesOf(item);
    }
    return create(DecideBatchResponseSchema, { items: await Promise.all(started) });
  };
}
