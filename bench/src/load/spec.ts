import type { Header } from "../http2/header-block.ts";
import type { GuardedOptions } from "./guarded.ts";
import type { LoopResult, Phases } from "./loops.ts";
import type { SteppedCall } from "./steps.ts";
import type { UnaryLane } from "./unary.ts";

/** What one client process is told to do. Bodies are base64, since it travels as one JSON document. */
export interface LoadSpec {
  readonly host: string;
  readonly port: number;
  readonly target: UnarySpec | ExchangeSpec | GuardedSpec | StepsSpec;
  readonly inspect: InspectName;
  readonly idPrefix: string;
  readonly load: Load;
  readonly phases: Phases;
}

export interface UnarySpec {
  readonly kind: "unary";
  readonly lane: UnaryLane;
  readonly connections: number;
  readonly requests: readonly { path: string; headers: readonly Header[]; body: string }[];
}

export interface ExchangeSpec {
  readonly kind: "exchange";
  readonly headers: readonly Header[];
  readonly sessionTokens: readonly string[];
  readonly calls: readonly string[];
}

export interface GuardedSpec extends Omit<GuardedOptions, "address"> {
  readonly kind: "guarded";
}

export interface StepsSpec {
  readonly kind: "steps";
  readonly calls: readonly SteppedCall[];
}

export type Load =
  | { readonly kind: "closed"; readonly inFlight: number }
  | { readonly kind: "open"; readonly perSecond: number };

/** How sampled answers are looked at: not at all; as a fresh allow; as a fresh decision of any effect; or of a batch. */
export type InspectName = "nothing" | "fresh-allow" | "fresh-decision" | "fresh-batch";

/** A client's result with what its parent knows. */
export interface RunResult extends LoadResult {
  /** How busy other work kept the cores just before the run, on average over the cores, 0 to 1. */
  readonly foreignBusy: number;
  /** Records in one commit of the service, on average over the whole run; where they were counted. */
  readonly rowsPerCommit?: number;
}

export interface LoadResult extends LoopResult {
  /** The client's own share of its core, 0 to 1: near 1 the client was the limit, not the server. */
  readonly clientBusy: number;
  /** How busy each core of the machine was during the run, by anyone, 0 to 1; sampled by the kernel at its tick, so rough. */
  readonly coresBusy: readonly number[];
}
