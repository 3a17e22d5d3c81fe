import { canonical, type JsonObject } from "../foundation/canonical.ts";
import { rfc3339, utcDay } from "../foundation/clock.ts";
import { digest, digestBytes } from "../foundation/digest.ts";
import type { NewRecord } from "../ledger/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { byCallId, callKey, requestDigest } from "./call.ts";

/**
 * The entry that a call's id stands for the call of a business key. It takes the place that the id's own first decision
 * would have, so the id means one tool and one input whichever way it was asked first.
 */
export function draftAlias(
  id: string,
  { caller, session }: Asker,
  ask: Ask,
  key: string,
  security: bigint,
  nowMs: number,
): NewRecord {
  const inputDigest = digest("input", ask.input.canonical);
  const text = canonical({
    v: 1,
    kind: "alias",
    id,
    at: rfc3339(nowMs),
    tenant: session.tenant,
    caller: { id: caller.id, name: caller.name },
    session: session.id,
    tool: ask.tool,
    input_digest: inputDigest,
    call: { id: ask.callId, business_key: key },
    trace_id: ask.traceId,
  });
  return {
    id,
    tenant: session.tenant,
    session: session.id,
    sessionDay: utcDay(session.openedAtMs),
    key: callKey(byCallId(ask.callId), 1),
    request: requestDigest(ask.tool, inputDigest),
    kind: "alias",
    securityRevision: security,
    digest: digestBytes("entry", text),
    body: Buffer.from(text),
  };
}

/** The business key that the body of an alias names. */
export function aliasedKey(body: JsonObject): string {
  return (body.call as { readonly business_key: string }).business_key;
}
