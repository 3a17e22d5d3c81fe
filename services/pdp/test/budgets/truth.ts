import type { Told } from "./front.ts";

/** What really happens with a call, which its caller alone knows. */
export interface Truth {
  readonly call: string;
  readonly tool: string;
  readonly session: string;
  readonly shop: string;
  /** What it costs when it runs, by unit, in millionths. */
  readonly costs: ReadonlyMap<string, bigint>;
  ran: boolean;
  /** It never will run, or run any further. */
  over: boolean;
  /** That it cost more than was held has been acknowledged. */
  toldOverage: boolean;
}

/** What a caller reports. */
export interface Debt {
  readonly told: Told;
  readonly truth: Truth;
  /** Somebody has acknowledged it. */
  paid: boolean;
}
