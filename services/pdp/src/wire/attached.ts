import type { MessageInitShape } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import type { DecideRequest, DecideResponse, NoticeSchema } from "@remit/proto/decision";
import type { Standing } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { oldestKeyOf } from "../foundation/oldest-key.ts";
import type { Session } from "../identities/index.ts";
import type { Audience, Listener, News } from "./audience.ts";

export type NoticeBody = NonNullable<MessageInitShape<typeof NoticeSchema>["body"]>;

/** A session that is about to be attached. */
export interface Attaching {
  readonly token: string;
  readonly session: Session;
  /** When the token runs out, milliseconds since 1970. */
  readonly expiresAtMs: number;
}

const HALTED = "An operator has halted this session. Nothing runs in it until the halt is released.";

interface Handle extends Attaching, Listener {
  readonly handle: number;
  /** Why nothing of its session may run, as its peer was told; undefined while nothing stands in its way. */
  bar: string | undefined;
  /** Its session has been closed or revoked: that is for good. */
  over: string | undefined;
  /** Its peer knows that the token has run out. */
  expired: boolean;
  /** Its peer knows the handle: before, no notice may name it. */
  known: boolean;
}

/** A call that was allowed on this stream, and on which nothing was reported here since. */
interface Running {
  readonly handle: number;
  readonly callId: string;
  readonly tool: string;
}

/** The sessions attached to one stream, and what their peer has to be told unasked. */
export interface Attached {
  /** Attaches what `open` answers. Throws when the stream has too many sessions, those on their way counted. */
  attach(open: () => Promise<Attaching>): Promise<{ readonly handle: number; readonly expiresAtMs: number }>;
  /** The peer was answered the handle; it is told at once what stands in the way of the session. */
  attached(handle: number): void;
  detach(handle: number): void;
  /** The token of a handle. Throws for one that is not attached. */
  tokenOf(handle: number): string;
  /** A decision was answered: an allowed call is cancelled when something comes in its way before it is reported. */
  decided(handle: number, call: DecideRequest, answer: DecideResponse): void;
  reported(decisionId: string): void;
  /** Its peer hears nothing any more. */
  closed(): void;
  readonly size: number;
}

function handleUnknown(handle: number): Fault {
  return new Fault("missing", "handle_unknown", `no session is attached as handle ${handle}`, {
    field: "handle",
    fix: "attach the session on this stream first",
  });
}

function tooMany(): Fault {
  return new Fault("exhausted", "overloaded", "the stream has too many sessions attached", {
    limit: `${limits.handlesPerStreamMax} handles a stream`,
    fix: "detach sessions that have ended, or open another stream",
  });
}

/** Calls that run, the oldest forgotten first when there are too many. */
function createRunning(notify: (body: NoticeBody) => void) {
  const calls = new Map<string, Running>();
  const oldestOf = oldestKeyOf(calls);
  // What becomes of one session is looked up, and not looked for among the calls of all.
  const byHandle = new Map<number, Set<string>>();
  const remove = (decisionId: string): void => {
    const call = calls.get(decisionId);
    if (!call) return;
    calls.delete(decisionId);
    const its = byHandle.get(call.handle);
    its?.delete(decisionId);
    if (its?.size === 0) byHandle.delete(call.handle);
  };
  const cancel = (decisionId: string, { handle, callId }: Running, code: string): void => {
    remove(decisionId);
    notify({ case: "callCancel", value: { handle, callId, code } });
  };
  return {
    add(decisionId: string, call: Running): void {
      remove(decisionId);
      calls.set(decisionId, call);
      const its = byHandle.get(call.handle);
      if (its) its.add(decisionId);
      else byHandle.set(call.handle, new Set([decisionId]));
      if (calls.size <= limits.callsWatchedPerStreamMax) return;
      const oldest = oldestOf();
      if (oldest !== undefined) remove(oldest);
    },
    delete: remove,
    forget(handle: number): void {
      for (const decisionId of byHandle.get(handle) ?? []) calls.delete(decisionId);
      byHandle.delete(handle);
    },
    cancel,
    /** Tells the peer to stop the calls of a session for which there is a reason, each once, and pauses after each. */
    *cancelEach(handle: number, why: (call: Running) => string | undefined): Generator<void> {
      for (const decisionId of byHandle.get(handle) ?? []) {
        const call = calls.get(decisionId);
        const code = call && why(call);
        if (code !== undefined) cancel(decisionId, call as Running, code);
        yield;
      }
    },
  };
}

/** The first of which nothing more comes. */
function spentOf(some: Iterable<Handle>): Handle | undefined {
  for (const one of some) if (one.bar !== undefined || one.over !== undefined || one.expired) return one;
  return undefined;
}

/** Handles by number, no more than a stream may have. */
function createHandles({
  joined,
  left,
}: {
  readonly joined: (one: Handle) => void;
  readonly left: (one: Handle) => void;
}) {
  const handles = new Map<number, Handle>();
  let last = 0;
  let onTheirWay = 0;
  const makeRoom = (): void => {
    if (handles.size + onTheirWay < limits.handlesPerStreamMax) return;
    const spent = spentOf(handles.values());
    if (!spent) throw tooMany();
    handles.delete(spent.handle);
    left(spent);
  };
  return {
    async add(
      open: () => Promise<Omit<Handle, "handle" | "hear">>,
      hear: (one: Handle, news: News) => Iterable<void>,
    ): Promise<Handle> {
      makeRoom();
      onTheirWay++;
      try {
        const opened = await open();
        const one: Handle = { ...opened, handle: ++last, hear: (news) => hear(one, news) };
        handles.set(one.handle, one);
        joined(one);
        return one;
      } finally {
        onTheirWay--;
      }
    },
    get: (handle: number) => handles.get(handle),
    delete(handle: number): void {
      const one = handles.get(handle);
      handles.delete(handle);
      if (one) left(one);
    },
    all: () => handles.values(),
    get size() {
      return handles.size;
    },
  };
}

interface Options {
  readonly standing: Standing;
  readonly now: () => number;
  readonly notify: (body: NoticeBody) => void;
  /** Where the sessions hear what is news of them. */
  readonly audience: Pick<Audience, "add" | "delete" | "deleteAll">;
}

/** What the peer is told of a session that is attached, and when its calls are told to stop. */
function createTelling(
  { standing, notify }: Options,
  running: ReturnType<typeof createRunning>,
  isAttached: (one: Handle) => boolean,
) {
  const barOf = ({ bar, session }: Handle, tool: string) => bar ?? standing.toolBar(session.tenant, tool);

  /** Tells the peer what stands in the way of a session, once; a bar that is gone again is forgotten. */
  function* refresh(one: Handle): Generator<void> {
    const code = one.over ?? standing.sessionBar(one.session);
    if (!one.known || code === one.bar) return;
    one.bar = code;
    if (code === undefined) return;
    yield* running.cancelEach(one.handle, () => code);
    // Meanwhile it may have been detached, or told something newer.
    if (one.bar !== code || !isAttached(one)) return;
    if (code === "halted") notify({ case: "halted", value: { handle: one.handle, reason: HALTED } });
    else notify({ case: "sessionEnded", value: { handle: one.handle, code } });
  }
  const expire = (one: Handle, nowMs: number): void => {
    if (one.expired || !one.known || nowMs < one.expiresAtMs) return;
    one.expired = true;
    if (one.bar !== undefined) return;
    notify({ case: "sessionEnded", value: { handle: one.handle, code: "token_expired" } });
  };
  function* hear(one: Handle, news: News): Generator<void> {
    if (!isAttached(one)) return;
    if (news.of === "end") one.over ??= news.code;
    yield* refresh(one);
    if (news.of === "tenant") yield* running.cancelEach(one.handle, ({ tool }) => barOf(one, tool));
    if (news.of === "time" && isAttached(one)) expire(one, news.nowMs);
  }
  return { barOf, refresh, expire, hear };
}

export function createAttached(options: Options): Attached {
  const { standing, now, notify, audience } = options;
  const running = createRunning(notify);
  let isClosed = false;
  const handles = createHandles({
    joined(one) {
      if (!isClosed) audience.add(one);
    },
    left(one) {
      running.forget(one.handle);
      audience.delete(one);
    },
  });
  const isAttached = ({ handle }: Handle) => !isClosed && handles.get(handle) !== undefined;
  const { barOf, refresh, expire, hear } = createTelling(options, running, isAttached);

  return {
    attach: (open) =>
      handles.add(async () => {
        const opened = await open();
        const expired = now() >= opened.expiresAtMs;
        return { ...opened, bar: undefined, over: undefined, expired, known: false };
      }, hear),
    attached(handle) {
      const one = handles.get(handle);
      if (!one) return;
      one.known = true;
      // Nothing of it runs yet: there is one thing to be told at most.
      for (const _ of refresh(one));
      expire(one, now());
    },
    detach: handles.delete,
    tokenOf(handle) {
      const one = handles.get(handle);
      if (one) return one.token;
      throw handleUnknown(handle);
    },
    decided(handle, { callId, tool }, { decisionId, effect, revision }) {
      const one = handles.get(handle);
      if (!one || (effect !== Effect.ALLOW && effect !== Effect.TRANSFORM)) return;
      const call = { handle, callId, tool };
      // News that came while it was being recorded has passed it by.
      const outrun = one.bar !== undefined || standing.revision(one.session.tenant) !== revision;
      const code = outrun ? barOf(one, tool) : undefined;
      if (code === undefined) running.add(decisionId, call);
      else running.cancel(decisionId, call, code);
    },
    reported: running.delete,
    closed() {
      isClosed = true;
      audience.deleteAll(handles.all());
    },
    get size() {
      return handles.size;
    },
  };
}
