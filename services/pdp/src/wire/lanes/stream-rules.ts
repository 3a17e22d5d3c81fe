import { type CrowdRoom, createCrowdRoom } from "../../foundation/crowd-room.ts";
import { Fault } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";

/** How many messages may wait for a peer that does not read. */
export interface QueueBounds {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

export const queueBounds: QueueBounds = {
  messagesMax: limits.streamQueueMessagesMax,
  bytesMax: limits.streamQueueBytesMax,
};

/** Messages that the streams of a lane bring in one turn. What each asks for may be done, and answered, in the same one. */
export const MESSAGES_AT_ONCE_MAX = 128;
/** A message is one of them, and one more for each so many bytes. */
const MESSAGE_BYTES = 4096;

/** Shares turns among the messages of all streams of a lane. */
export interface MessageRoom extends Pick<CrowdRoom, "full" | "enter"> {
  /** A message of so many bytes has not waited. */
  take(bytes: number): void;
}

export function createMessageRoom(): MessageRoom {
  const room = createCrowdRoom({ atOnceMax: MESSAGES_AT_ONCE_MAX });
  return {
    get full() {
      return room.full;
    },
    enter: room.enter,
    take: (bytes) => room.take(1 + Math.floor(bytes / MESSAGE_BYTES)),
  };
}

/** What a stream ends with whose peer let too much wait. */
export function readTooSlowly(bounds: QueueBounds): Fault {
  return new Fault("exhausted", "read_too_slowly", "the peer of this stream does not read what it is sent", {
    limit: `streamQueueMessagesMax: ${bounds.messagesMax} messages, streamQueueBytesMax: ${bounds.bytesMax} bytes`,
    fix: "read the stream while sending on it; open another one",
  });
}

/** What a stream ends with that is still open when the server stops. */
function serverStops(): Fault {
  return new Fault("unavailable", "draining", "the server is stopping", { fix: "open the stream again" });
}

/** What a lane needs of an open stream when the server stops. */
export interface OpenStream {
  draining(): void;
  cut(reason: unknown): void;
}

/** The open streams of a lane. */
export interface OpenStreams {
  add(stream: OpenStream): void;
  delete(stream: OpenStream): void;
  /** Tells each stream that the server stops. Answers once all have ended; those left after a time are cut. */
  drain(withinMs: number): Promise<void>;
}

/** Each is told in its turn in the room: it writes, and there may be thousands. */
export function createOpenStreams(crowd: CrowdRoom): OpenStreams {
  const open = new Set<OpenStream>();
  let whenNone: (() => void) | undefined;
  return {
    add: (stream) => {
      open.add(stream);
    },
    delete: (stream) => {
      open.delete(stream);
      if (open.size === 0) whenNone?.();
    },
    async drain(withinMs) {
      let cutting: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        cutting = setTimeout(resolve, withinMs);
        whenNone = resolve;
      });
      await crowd.each(open, (stream) => stream.draining());
      if (open.size > 0) await over;
      clearTimeout(cutting);
      await crowd.each(open, (stream) => stream.cut(serverStops()));
    },
  };
}

/** The part of the grace that streams may take to end by themselves; the rest is for the cut to reach their peers. */
export function streamGraceMs(graceMs: number): number {
  return Math.floor(graceMs / 2);
}
