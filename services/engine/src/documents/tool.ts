import type { Amount } from "../amount.ts";
import type { JsonObject } from "../json.ts";
import type { LimitsDocument } from "./limits.ts";
import type { Mode } from "./mode.ts";
import type { Metadata } from "./policy.ts";
import type { CostDocument, ToleranceDocument } from "./tool-cost.ts";

/** How much harm a tool can do, the least first. */
export const risks = ["unclassified", "read", "write", "destructive"] as const;
export type Risk = (typeof risks)[number];

/** A registered callable. Plain JSON, as it is stored and compiled. */
export interface ToolDocument {
  readonly apiVersion: "remit/v1";
  readonly kind: "Tool";
  readonly metadata: Metadata;
  readonly spec: ToolSpec;
}

interface ToolSpec {
  readonly server?: string;
  readonly description?: string;
  readonly risk: Risk;
  readonly labels?: Readonly<Record<string, string>>;
  /** JSON Schema, draft 2020-12. Absent: any object. */
  readonly inputSchema?: JsonObject;
  /**
   * The digest of the input schema that the tool's server offers, where `inputSchema` is not that schema word for word.
   * Callers may go by either.
   */
  readonly offeredSchema?: string;
  readonly contextSchema?: JsonObject;
  /** Paths below the input, such as `order_id`, that together are the business key of a call. */
  readonly idempotentOn?: readonly string[];
  /** How long a call may take, and so how long what it costs is held for it: a duration such as `30s`. */
  readonly timeout?: string;
  /** What this document says of its tool's calls; absent: nothing. */
  readonly mode?: Mode;
  /** What a call costs at least, unit by unit: its caller's estimate may say more. `none`: nothing in any unit. */
  readonly cost?: "none" | readonly CostDocument[];
  /** The most that one call may cost, and what is held in a unit of which neither cost nor estimate is known. */
  readonly maximum?: readonly Amount[];
  /** What a call may cost beyond what was held for it before somebody has to look; absent: anything. */
  readonly tolerance?: ToleranceDocument;
  /** Paths such as `input.iban` or `context.user.email` that are not for everybody who reads of a call. */
  readonly redact?: readonly string[];
  /** Labels that what the tool answers carries: `untrusted`, `personal-data`. */
  readonly outputLabels?: readonly string[];
  /** When breakers stop calls of this tool. */
  readonly limits?: LimitsDocument;
  /** Absent: active. */
  readonly status?: "active" | "suspended";
}
