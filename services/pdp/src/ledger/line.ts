import type { LedgerWriter } from "./ledger-store.ts";
import type { Waiting } from "./queue.ts";
import { resolveLost } from "./resolve.ts";
import { createPause, failureOf, type Pause, pauseBefore, type Shared } from "./shared.ts";
import { submit } from "./submit.ts";

/** `idle` and `committing` have a living writer; `opening` seeks one; `resolving` asks what became of a batch. */
type Phase = "opening" | "idle" | "committing" | "resolving" | "ended";

/** One writer after another, each with one statement in flight. */
export interface Line {
  phase(): Phase;
  epoch(): bigint | null;
  /** When what it commits was handed over, on the timing's clock. */
  begunMs(): number;
  /** What was handed over and is not done with. */
  inFlight(): readonly Waiting[];
  /** Hands a batch to an idle line. */
  give(batch: Waiting[]): void;
  /** Ends its waiting, so that it sees that the ledger has stopped. */
  interrupt(): void;
  /** Settles when the line has ended. It never rejects. */
  readonly ended: Promise<void>;
}

/** A new writer; null when the ledger has stopped. */
async function openWriter(shared: Shared, pause: Pause): Promise<LedgerWriter | null> {
  for (let attempt = 1; !shared.stopped(); attempt++) {
    try {
      return await shared.store.openWriter();
    } catch (error) {
      const { kind } = failureOf(error);
      if (kind === "fenced" || kind === "broken") {
        shared.stop(kind, error);
        return null;
      }
      if (attempt === 1) shared.log.warn({ error }, "no new writer: the store is away");
      await pauseBefore(shared, pause, attempt);
    }
  }
  return null;
}

/** So many turns of the event loop, unless they take so long. */
const GATHER_TURNS = 3;
const GATHER_MS = 2;

/**
 * Whoever was just answered asks again, and what came meanwhile waits to be read: with it the next statement has more records,
 * and each of them costs less. Where nothing is ready these turns take no time.
 */
async function gather({ timing, stopped }: Shared): Promise<void> {
  const endMs = timing.now() + GATHER_MS;
  for (let turn = 0; turn < GATHER_TURNS && timing.now() < endMs && !stopped(); turn++) await timing.turn();
}

/** Starts a line on an open writer. It opens further ones by itself until the ledger stops. */
export function startLine(shared: Shared, first: LedgerWriter): Line {
  const pause = createPause(shared.timing);
  let phase: Phase = "opening";
  let writer: LedgerWriter | null = first;
  let inFlight: readonly Waiting[] = [];
  let begunMs = 0;
  let lossesInARow = 0;
  let wakeIdle: (batch: Waiting[] | null) => void = () => {};

  const nextBatch = (): Promise<Waiting[] | null> => {
    phase = "idle";
    return new Promise((resolve) => {
      wakeIdle = resolve;
    });
  };
  // From here on the line is not idle to anybody: what is given to it twice would be given to nobody.
  const leaveIdle = (batch: Waiting[] | null) => {
    phase = batch ? "committing" : "opening";
    begunMs = shared.timing.now();
    inFlight = batch ?? [];
    wakeIdle(batch);
  };

  /** Shuts a lost writer out and settles what it had in flight. */
  const resolve = async (lost: LedgerWriter, unresolved: readonly Waiting[], cause: unknown): Promise<void> => {
    lossesInARow++;
    phase = "resolving";
    inFlight = unresolved;
    await resolveLost(shared, pause, lost.epoch, unresolved, cause);
    inFlight = [];
  };

  /** Serves one writer until it is lost or the ledger stops. */
  const serve = async (current: LedgerWriter): Promise<void> => {
    let connected = true;
    void current.lost.then(() => {
      connected = false;
      if (phase === "idle" && writer === current) leaveIdle(null);
    });
    while (connected && !shared.stopped()) {
      const batch = shared.queue.take() ?? (await nextBatch());
      if (!batch) break;
      phase = "committing";
      begunMs = shared.timing.now();
      inFlight = batch;
      const submitted = await submit(shared, current, batch);
      inFlight = [];
      if (submitted.writer !== "alive") return resolve(current, submitted.unresolved, submitted.cause);
      lossesInARow = 0;
      await gather(shared);
    }
    if (!shared.stopped()) await resolve(current, [], new Error("the connection broke while nothing was in flight"));
  };

  const run = async (): Promise<void> => {
    while (writer) {
      await serve(writer);
      await writer.close().catch((error) => shared.log.warn({ error }, "a writer's connection did not close"));
      writer = null;
      phase = "opening";
      // The first loss is followed by a new writer at once; what keeps being lost is asked for ever more seldom.
      if (lossesInARow > 1) await pauseBefore(shared, pause, lossesInARow - 1);
      writer = await openWriter(shared, pause);
      if (writer) shared.log.info({ epoch: writer.epoch }, "a new writer");
    }
    phase = "ended";
  };

  return {
    phase: () => phase,
    epoch: () => writer?.epoch ?? null,
    begunMs: () => begunMs,
    inFlight: () => inFlight,
    give: leaveIdle,
    interrupt: () => {
      pause.wake();
      if (phase === "idle") leaveIdle(null);
    },
    ended: run(),
  };
}
