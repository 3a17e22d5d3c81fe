/** What stands in the way of calls while it holds, by a name such as `agent:clerk-0`. */
export type Bar = string;

/** What is in force: one version of the policy or none, and what nothing may run against. */
export interface State {
  readonly version: number | null;
  readonly bars: ReadonlySet<Bar>;
}

/** One change that was acknowledged, and what it left in force. */
export interface Change {
  readonly name: string;
  readonly after: State;
  /** The tenant's counters when it was acknowledged. Nobody else changes anything. */
  readonly security: bigint;
  readonly policy: bigint;
  /** What the administrator was told of the policies in force, where the change tells. */
  readonly digest?: string;
  /** Polls that each member had been answered when the change was acknowledged. */
  readonly polls: readonly number[];
}

/** What a decision's entry says that it was judged under. */
export interface Under {
  readonly security: bigint;
  readonly policy: bigint;
}

export const TOOLS = ["load.a", "load.b"] as const;
export type Tool = (typeof TOOLS)[number];

/** Odd versions allow the one tool and deny the other, even ones the reverse. Each rule names its version. */
export const allows = (version: number, tool: Tool): boolean => (version % 2 === 1) === (tool === "load.a");

export const ruleOf = (version: number, tool: Tool): string => `${tool === "load.a" ? "a" : "b"}-v${version}`;

/** How the bars begin that change the documents of tools, and so the digest of what is in force. */
export const SUSPENDED = "suspended:";

export const sumOf = ({ security, policy }: Under): bigint => security + policy;

/**
 * Where counters stand in the changes. Between two acknowledged changes both counters only grow, and a change that was
 * made twice, since its first answer was lost, leaves the same in force both times: so what is past one change is of the
 * next. -1: they never were the tenant's.
 */
export function placeOf(changes: readonly Change[], under: Under): number {
  const at = changes.findIndex((change) => sumOf(change) >= sumOf(under));
  const [before, here] = [changes[at - 1], changes[at]];
  if (!here || under.security > here.security || under.policy > here.policy) return -1;
  if (!before) return sumOf(under) === sumOf(here) ? at : -1;
  return under.security >= before.security && under.policy >= before.policy ? at : -1;
}
