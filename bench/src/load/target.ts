/** Something that can be asked again and again; it knows neither schedule nor histogram. */
export interface Target {
  /** Sends one call. `done` is called exactly once: with nothing when a good answer came, else with what came instead. */
  call(done: Done): void;
  /** What the inspected samples of answers had wrong, each with how often; empty is good. */
  problems(): Record<string, number>;
  /** Rejects when the connection is lost; pending for ever otherwise. */
  readonly lost: Promise<never>;
  close(): void;
}

export type Done = (failure?: string) => void;

export type Inspect = (answer: Uint8Array) => string | undefined;

/** Every so many answers one is decoded and looked at: often enough to notice, seldom enough not to load the client. */
export const inspectEvery = 64;
