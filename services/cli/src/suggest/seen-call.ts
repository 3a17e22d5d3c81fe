import type { JsonObject } from "@remit/engine";

/** One call that was made, and what is known of it. */
export interface SeenCall {
  readonly tool: string;
  readonly agent: SeenAgent;
  /** The id of whom its session is for; empty when that is not known. */
  readonly principal: string;
  readonly input: JsonObject;
  /** What the caller's process asserted; the drafted rules do not read it. */
  readonly context: JsonObject;
  /** Paths such as `input.card` whose values were not kept as they were. */
  readonly redacted: readonly string[];
}

export interface SeenAgent {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Why a call is not drafted from. Each is counted and said. */
export const leavings = {
  stopped: "were stopped when they were asked: what was denied, or waits for people, is not allowed by a draft",
  denied: "would be denied by a rule in force, and were left out as asked",
  scope: "are beyond what their session or agent may ever ask for, whatever a policy says: see its ceiling",
  invalid: "do not fit the schema of their tool, whatever a policy says: mend the schema or the agent",
  digest: "were kept without their input, or were erased: what they asked is not known",
  unnameable: "name a tool or an agent that no document can name",
  unreadable: "hold numbers or texts that no service takes",
} as const;
export type Leaving = keyof typeof leavings;

/** What was found to draft from. */
export interface Seen {
  readonly calls: readonly SeenCall[];
  readonly left: Readonly<Partial<Record<Leaving, number>>>;
  /** Calls among them that rules in force would restrain, by effect: a draft beside those rules does not free them. */
  readonly restrained: Readonly<Record<string, number>>;
  /** What was read, in words: for the head of the draft. */
  readonly source: string;
}
