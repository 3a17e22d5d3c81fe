import type { CrowdRoom } from "../foundation/crowd-room.ts";

/** A line before places that are few. */
export interface Line {
  /** Calls back once there is a place: at once where one is free. With an error where none was within the time for it. */
  enter(go: (late?: Error) => void): void;
  /** A place is free again: to be called once for each that was had. */
  leave(): void;
}

interface Options {
  readonly placesMax: number;
  readonly waitMsMax: number;
  /** What those are told who have waited for too long. */
  readonly late: () => Error;
  /** Where they are told so. */
  readonly crowd: Pick<CrowdRoom, "each">;
  /** Monotonic. */
  readonly nowMs?: () => number;
}

interface Waiting {
  readonly go: (late?: Error) => void;
  readonly untilMs: number;
  next: Waiting | undefined;
}

/** Those who wait, in order: thousands may come and go at one moment. */
function createWaiting() {
  let first: Waiting | undefined;
  let last: Waiting | undefined;
  return {
    add(one: Waiting): void {
      if (last) last.next = one;
      else first = one;
      last = one;
    },
    first: () => first,
    take(): Waiting | undefined {
      const taken = first;
      first = taken?.next;
      if (!first) last = undefined;
      return taken;
    },
  };
}

/**
 * Gives places in the order of asking. Thousands who came at one moment have waited for too long at one moment, and each
 * answers a caller then: so they are told some in a turn, and who gets a place before that has it.
 */
export function createLine({ placesMax, waitMsMax, late, crowd, nowMs = () => performance.now() }: Options): Line {
  const waiting = createWaiting();
  let taken = 0;
  // Those that are about to be given, or not to be taken any more.
  let free = 0;
  let isWatched = false;

  function* lateOnes() {
    for (let first = waiting.first(); first && first.untilMs <= nowMs(); first = waiting.first()) {
      waiting.take();
      yield first;
    }
  }
  const watch = (): void => {
    const first = waiting.first();
    isWatched = first !== undefined;
    if (first) setTimeout(() => void tellLate(), Math.max(1, Math.ceil(first.untilMs - nowMs()))).unref();
  };
  const tellLate = async (): Promise<void> => {
    await crowd.each(lateOnes(), ({ go }) => go(late()));
    watch();
  };

  /** Who has a place may give it back at once, and thousands after one another. */
  const giveFree = (): void => {
    for (; free > 0; free--) {
      const next = waiting.take();
      if (next) next.go();
      else taken--;
    }
  };

  return {
    enter(go) {
      if (taken < placesMax) {
        taken++;
        go();
        return;
      }
      waiting.add({ go, untilMs: nowMs() + waitMsMax, next: undefined });
      if (!isWatched) watch();
    },
    leave() {
      free++;
      if (free === 1) giveFree();
    },
  };
}
