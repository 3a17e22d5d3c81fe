import type { JsonObject, JsonValue } from "@remit/engine";

/** Why a recorded decision cannot be judged again. */
export const unjudged = {
  erased: "were erased with their tenant's key",
  aside: "were kept without their input, which is long: `remit why` shows it",
  redacted: "hold values that their tool redacts, so what they asked is not known",
  unreadable: "are not what a decision's entry says",
} as const;
export type Unjudged = keyof typeof unjudged;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** Whether a value stands in the place of one that was not kept. */
function isMark(value: JsonObject): boolean {
  return (
    typeof value.redacted === "string" && value.redacted.startsWith("hmac-sha256:") && typeof value.key === "string"
  );
}

function holdsMark(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.some((item: JsonValue) => holdsMark(item));
  return isObject(value) && (isMark(value) || Object.values(value).some(holdsMark));
}

/** The paths at which values stood that were not kept. */
export function markedPaths(value: JsonValue, path: readonly string[] = []): string[] {
  if (Array.isArray(value)) return value.flatMap((item: JsonValue, at) => markedPaths(item, [...path, String(at)]));
  if (!isObject(value)) return [];
  if (isMark(value)) return [path.join(".")];
  return Object.entries(value).flatMap(([name, held]) => markedPaths(held, [...path, name]));
}

/** An entry may say more than policies can know. */
function picked(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

/**
 * What a decision was judged from, as policy tests write facts, all of it: what the entry does not say was not known
 * then. Or why that cannot be had. Which schema its caller went by is left out: it was the registered one of its time, or
 * the call was denied for it.
 */
export function recordedFacts(body: JsonObject): JsonObject | Unjudged {
  const { kind, tool, agent, principal, session, caller, at, scopes, budget } = body;
  if (kind !== undefined && kind !== "decision") return "unreadable";
  if (typeof tool !== "string" || typeof at !== "string" || !isObject(agent) || !Array.isArray(scopes)) {
    return body.erased === true || tool === undefined ? "erased" : "unreadable";
  }
  if (!isObject(body.input) || (body.context === undefined && body.context_digest !== undefined)) return "aside";
  if (holdsMark(body.input) || holdsMark(body.context)) return "redacted";
  const { estimate = [] } = object(body.call);
  return {
    call: {
      tool,
      input: body.input,
      context: object(body.context),
      answers: object(body.answers),
      estimate,
      attempt: body.attempt ?? 1,
    },
    agent: picked(agent, ["id", "labels", "owner", "score"]),
    principal: picked(object(principal), ["id", "verified", "labels"]),
    session: picked(object(session), ["id", "labels", "depth", "purpose", "ageSeconds", "calls"]),
    caller: picked(object(caller), ["id", "name"]),
    ...(isObject(budget) && { budget }),
    now: at,
    scopes: scopes as readonly JsonValue[],
    mode: body.mode === "observed" ? "observe" : "enforce",
    supportedConstraints: Array.isArray(body.supported_constraints) ? body.supported_constraints : [],
    granted: [],
  };
}
