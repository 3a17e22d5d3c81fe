import type { Phases } from "../load/loops.ts";
import type { Load, LoadSpec } from "../load/spec.ts";
import type { Lane } from "../options.ts";

/** A server under measurement: how to ask it on each lane. */
export interface Subject {
  readonly name: string;
  spec(lane: Lane, load: Load, phases: Phases): LoadSpec;
}
