import type { Notice as WireNotice } from "@remit/proto/decision";
import type { Connection } from "./connection.ts";
import type { RemitError } from "./errors.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { isFinal } from "./session-end.ts";

/** A session as the stream knows it. */
export interface Holder {
  readonly id: string;
  /** Its newest token. */
  token(): string;
}

export interface LaneEvents {
  /** `holder` is undefined for notices that name no handle, or one that is not known any more. */
  notice(body: WireNotice["body"], holder: Holder | undefined): void;
  ended(error: RemitError | undefined): void;
}

/** One stream and the sessions attached to it. */
export interface Lane {
  readonly exchange: Exchange;
  /** The session's handle, attaching it first if its newest token is not attached yet. */
  attach(holder: Holder): Promise<number>;
  /** The session's handle if it is attached; undefined otherwise. */
  handleOf(holder: Holder): number | undefined;
  /** Lets go of a session. */
  detach(holder: Holder): void;
}

interface Attachment {
  readonly token: string;
  readonly answer: Promise<number>;
  handle: number | undefined;
}

/** Whether a handle that ended for this reason is of no more use. After a suspension it serves again. */
function isSpent(code: string): boolean {
  return code === "token_expired" || isFinal(code);
}

function handleIn(body: WireNotice["body"]): number | undefined {
  return body.value && "handle" in body.value ? body.value.handle : undefined;
}

/** Opens a stream on which sessions are attached as they are needed. */
export function openLane(connection: Connection, events: LaneEvents): Lane {
  const attachments = new Map<Holder, Attachment>();
  // A session whose token was renewed has an old and a new handle for a while; notices may name either.
  const holders = new Map<number, Holder>();

  const exchange = openExchange(connection, {
    notice: ({ body }) => {
      const handle = handleIn(body);
      const holder = handle === undefined ? undefined : holders.get(handle);
      if (body.case === "sessionEnded" && handle !== undefined && holder && isSpent(body.value.code)) {
        holders.delete(handle);
        const newest = attachments.get(holder)?.handle === handle;
        if (newest) attachments.delete(holder);
        // The token was renewed since: that an older one has run out is no news.
        else if (body.value.code === "token_expired") return;
      }
      events.notice(body, holder);
    },
    ended: events.ended,
  });

  const attach = (holder: Holder): Promise<number> => {
    const token = holder.token();
    const known = attachments.get(holder);
    if (known?.token === token) return known.answer;
    const answer = exchange.attach(token);
    const attachment: Attachment = { token, answer, handle: undefined };
    attachments.set(holder, attachment);
    answer.then(
      (handle) => {
        attachment.handle = handle;
        holders.set(handle, holder);
      },
      () => {
        if (attachments.get(holder) === attachment) attachments.delete(holder);
      },
    );
    return answer;
  };

  return {
    exchange,
    attach,
    handleOf: (holder) => attachments.get(holder)?.handle,
    detach: (holder) => {
      const handle = attachments.get(holder)?.handle;
      attachments.delete(holder);
      if (handle === undefined) return;
      holders.delete(handle);
      exchange.detach(handle);
    },
  };
}
