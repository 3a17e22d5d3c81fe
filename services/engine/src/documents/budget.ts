import type { Metadata } from "./policy.ts";

/** How long what was spent counts. Hours, days, weeks and months are those of a time zone's calendar. */
export const windows = ["session", "hour", "day", "week", "month", "lifetime"] as const;
export type Window = (typeof windows)[number];

/** A limit on what may be spent. Plain JSON, as it is stored. */
export interface BudgetDocument {
  readonly apiVersion: "remit/v1";
  readonly kind: "Budget";
  readonly metadata: Metadata;
  readonly spec: BudgetSpec;
}

export interface BudgetSpec {
  /** A currency such as `EUR`, `tokens`, `calls`, or another word. */
  readonly unit: string;
  /** A decimal of at most six digits after the point. */
  readonly limit: string;
  readonly window: Window;
  /** An IANA name, with a window of the calendar alone. */
  readonly timeZone?: string;
  readonly owner: BudgetOwner;
  readonly enforcement: "hard" | "soft";
  /** `principal`, `agent`, or a path such as `input.customer_id`: each combination of values has a budget of its own. */
  readonly per?: readonly string[];
  readonly anomaly?: Anomaly;
}

/** From where on what an agent spends in a window is out of the ordinary, by the windows before it. */
export interface Anomaly {
  /** How many robust standard deviations above the median. */
  readonly deviations: number;
  /** With fewer windows before it nothing is judged. */
  readonly windowsMin: number;
  /** Up to this nothing is out of the ordinary: a decimal. Absent: a fifth of the limit. */
  readonly floor?: string;
}

/** Whose calls are charged: all of a tenant, each session's own, or those of what is named. */
export type BudgetOwner =
  | "tenant"
  | "session"
  /** Agents with the label `team` of that value. */
  | { readonly team: string }
  | { readonly agent: string }
  | { readonly principal: string }
  /** A name or a glob. */
  | { readonly tool: string };
