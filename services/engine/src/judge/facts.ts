import type { Amount } from "../amount.ts";
import type { Mode } from "../documents/mode.ts";
import type { JsonObject } from "../json.ts";
import type { Scope } from "./scope.ts";
import type { ScopesRead } from "./tool-scope.ts";
import type { RuleRef } from "./verdict.ts";

type Labels = Readonly<Record<string, string>>;

/** What a budget has left, in decimals of its unit. What nobody knows is absent, and what asks for it is unknown. */
export interface BudgetFacts {
  readonly unit: string;
  readonly limit?: string;
  /** Settled for good. */
  readonly spent?: string;
  /** Neither spent nor held. */
  readonly remaining?: string;
}

/** Everything an evaluation may know. Plain values, read and never changed. */
export interface Facts {
  /** The proposed arguments. */
  readonly input: JsonObject;
  /** What the caller's process asserts, typed by the tool's context schema. */
  readonly context: JsonObject;
  /** Answers to a clarification, by question id, as the agent claims them. */
  readonly answers: JsonObject;
  readonly call: {
    readonly tool: string;
    /** What the call is expected to cost: said by its caller, else by its tool. */
    readonly estimate: readonly Amount[];
    /** From 1. */
    readonly attempt: number;
    /** The digest of the input schema that the caller goes by, where it says so. */
    readonly schemaDigest?: string;
  };
  readonly agent: {
    readonly id: string;
    readonly labels: Labels;
    readonly owner: string;
    /** Its trust score, 300 to 850; absent where nobody keeps one, and then what asks for it is unknown. */
    readonly score?: number;
  };
  readonly principal: { readonly id: string; readonly verified: boolean; readonly labels: Labels };
  readonly session: {
    readonly id: string;
    readonly labels: Labels;
    readonly depth: number;
    readonly purpose: string;
    readonly ageSeconds: number;
    /** Calls of this session so far; absent where nobody counts them, and then what asks for it is unknown. */
    readonly calls?: number;
  };
  readonly caller: { readonly id: string; readonly name: string };
  /** Budgets by name; one that nobody knows is absent, and then what asks for it is unknown. */
  readonly budget?: Readonly<Record<string, BudgetFacts>>;
  /** RFC 3339. */
  readonly now: string;
  /** Every link's scope and every agent's ceiling: all must permit. None at all permits nothing. */
  readonly scopes: readonly Scope[];
  /** What these say of the tool, where that was read before: nothing that is not in them. */
  readonly scopesRead?: ScopesRead;
  /** The mode of the subject: tenant, agent, tool. An observed policy says so itself. */
  readonly mode: Mode;
  /** Names of the constraints that the caller can honour. */
  readonly supportedConstraints: readonly string[];
  /** Escalating rules whose requirement people have granted for exactly this call. */
  readonly granted?: readonly RuleRef[];
}
