import { systemRandom } from "../../foundation/ids.ts";

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;
const NONE = "0".repeat(32);
const random = systemRandom();
const bytes = Buffer.alloc(16);

/** The trace id of a W3C `traceparent`; a new one when there is none or it is malformed, as the recommendation says. */
export function traceIdFrom(traceparent: string | undefined): string {
  const id = traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
  if (id !== undefined && id !== NONE) return id;
  random(bytes);
  return bytes.toString("hex");
}
