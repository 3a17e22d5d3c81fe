import { Code, ConnectError } from "@connectrpc/connect";
import type { JsonObject, JsonValue, ToolDocument } from "@remit/engine";
import type { Clients } from "../clients.ts";
import type { Candidate } from "./gather.ts";
import type { SeenAgent } from "./seen-call.ts";

function object(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");

function agentOf(value: JsonValue | undefined): SeenAgent {
  const { id, labels } = object(value);
  const named = Object.entries(object(labels)).flatMap(([name, label]) =>
    typeof label === "string" ? [[name, label] as const] : [],
  );
  return { id: text(id), labels: Object.fromEntries(named) };
}

/** A decision as its entry holds it: what was asked, and what rules in force say to it. */
export function decisionCandidate(body: JsonObject): Candidate {
  const { tool, agent, input, context, effect, mode, would, reason, redacted, principal } = body;
  const observed = mode === "observed";
  const said = observed ? object(would) : { effect: effect ?? "", reason: reason ?? {} };
  const answered = { effect: text(said.effect), code: text(object(said.reason).code) };
  if (effect === undefined) return { call: "digest", would: undefined };
  // What was enforced and did not run was decided against: allowing it is for people.
  if (!observed && effect !== "allow" && effect !== "transform") return { call: "stopped", would: answered };
  if (input === undefined) return { call: "digest", would: answered };
  const paths = Array.isArray(redacted) ? redacted.map(text) : [];
  const by = { agent: agentOf(agent), principal: text(object(principal).id) };
  const seen = { tool: text(tool), ...by, input: object(input), context: object(context) };
  return { call: { ...seen, redacted: paths }, would: answered };
}

/** The documents of tools as they are registered; those that are not are left out. */
export async function registeredTools(
  client: Clients["tool"],
  names: Iterable<string>,
): Promise<Map<string, ToolDocument>> {
  const tools = new Map<string, ToolDocument>();
  for (const name of names) {
    try {
      const { document } = await client.getTool({ name });
      tools.set(name, JSON.parse(document) as ToolDocument);
    } catch (error) {
      // A name that is none was never registered either.
      const unknown = error instanceof ConnectError && [Code.NotFound, Code.InvalidArgument].includes(error.code);
      if (!unknown) throw error;
    }
  }
  return tools;
}
