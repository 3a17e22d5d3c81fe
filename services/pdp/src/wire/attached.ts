import type { MessageInitShape } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import type { DecideRequest, DecideResponse, NoticeSchema } from "@remit/proto/decision";
import type { Standing } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { oldestKeyOf } from "../foundation/oldest-key.ts";
import type { Session } from "../identities/index.ts";

export type NoticeBody = NonNullable<MessageInitShape<typeof NoticeSchema>["body"]>;

/** A session that is about to be attached. */
export interface Attaching {
  readonly token: string;
  readonly session: Session;
  /** When the token runs out, milliseconds since 1970. */
  readonly expiresAtMs: number;
}

const HALTED = "An operator has halted this session. Nothing runs in it until the halt is released.";

interface Handle extends Attaching {
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
  tenantMoved(tenant: string): void;
  sessionsEnded(sessionIds: ReadonlySet<string>, code: string): void;
  /** Notices what only time changes. */
  look(nowMs: number): void;
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
    /** Tells the peer to stop the calls of a session for which there is a reason, each once. */
    cancelEach(handle: number, why: (call: Running) => string | undefined): void {
      for (const decisionId of byHandle.get(handle) ?? []) {
        const call = calls.get(decisionId);
        const code = call && why(call);
        if (code !== undefined) cancel(decisionId, call as Running, code);
      }
    },
  };
}

/** Sessions that are looked at in one turn of the event loop: with as many halts as may be each takes up to 80 microseconds. */
const LOOKED_AT_ONCE = 32;

interface Ending {
  readonly sessionIds: ReadonlySet<string>;
  readonly code: string;
}

/** What may be news of a session. */
interface Due {
  /** Its tools may be suspended or revoked. */
  readonly tools: boolean;
  /** It may be among these, or under one of them. */
  readonly endings: readonly Ending[];
}

const both = (one: Due, other: Due): Due => ({
  tools: one.tools || other.tools,
  endings: [...one.endings, ...other.endings],
});

/** Sessions of which something may be news, looked at some at a time; the first at once. */
function createDue(look: (one: Handle, due: Due) => void) {
  const all = new Map<Handle, Due>();
  let waiting = false;
  const go = (): void => {
    waiting = false;
    let left = LOOKED_AT_ONCE;
    for (const [one, due] of all) {
      if (left-- === 0) {
        waiting = true;
        setImmediate(go);
        return;
      }
      all.delete(one);
      look(one, due);
    }
  };
  return {
    remove: (one: Handle) => all.delete(one),
    add(some: Iterable<Handle>, due: Due): void {
      for (const one of some) {
        const before = all.get(one);
        all.set(one, before ? both(before, due) : due);
      }
      if (!waiting) go();
    },
  };
}

/** What ends a session ends everything under it. */
function endedBy({ id, ancestors }: Session, endings: readonly Ending[]): string | undefined {
  return endings.find(({ sessionIds }) => sessionIds.has(id) || ancestors.some((link) => sessionIds.has(link.id)))
    ?.code;
}

/** Handles by number, no more than a stream may have. `forget` is told of one that had to make room. */
function createHandles(forget: (one: Handle) => void) {
  const handles = new Map<number, Handle>();
  let last = 0;
  let onTheirWay = 0;
  const makeRoom = (): void => {
    if (handles.size + onTheirWay < limits.handlesPerStreamMax) return;
    const spent = [...handles.values()].find(
      ({ bar, over, expired }) => bar !== undefined || over !== undefined || expired,
    );
    if (!spent) throw tooMany();
    handles.delete(spent.handle);
    forget(spent);
  };
  return {
    async add(open: () => Promise<Omit<Handle, "handle">>): Promise<Handle> {
      makeRoom();
      onTheirWay++;
      try {
        const opened = await open();
        const one: Handle = { ...opened, handle: ++last };
        handles.set(one.handle, one);
        return one;
      } finally {
        onTheirWay--;
      }
    },
    get: (handle: number) => handles.get(handle),
    delete(handle: number): void {
      const one = handles.get(handle);
      handles.delete(handle);
      if (one) forget(one);
    },
    all: () => handles.values(),
    get size() {
      return handles.size;
    },
  };
}

export function createAttached(standing: Standing, now: () => number, notify: (body: NoticeBody) => void): Attached {
  const running = createRunning(notify);
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const due = createDue((one, { tools, endings }) => {
    one.over ??= endedBy(one.session, endings);
    refresh(one);
    if (tools) running.cancelEach(one.handle, ({ tool }) => barOf(one, tool));
    if (one.expired || lookedAtMs < one.expiresAtMs) return;
    one.expired = true;
    if (one.bar !== undefined) return;
    notify({ case: "sessionEnded", value: { handle: one.handle, code: "token_expired" } });
  });
  const handles = createHandles((one) => {
    running.forget(one.handle);
    due.remove(one);
  });

  /** Tells the peer what stands in the way of a session, once; a bar that is gone again is forgotten. */
  const refresh = (one: Handle): void => {
    const code = one.over ?? standing.sessionBar(one.session);
    if (!one.known || code === one.bar) return;
    one.bar = code;
    if (code === undefined) return;
    running.cancelEach(one.handle, () => code);
    if (code === "halted") notify({ case: "halted", value: { handle: one.handle, reason: HALTED } });
    else notify({ case: "sessionEnded", value: { handle: one.handle, code } });
  };
  const barOf = ({ bar, session }: Handle, tool: string) => bar ?? standing.toolBar(session.tenant, tool);

  return {
    attach: (open) =>
      handles.add(async () => {
        const opened = await open();
        const expired = now() >= opened.expiresAtMs;
        return { ...opened, bar: undefined, over: undefined, expired, known: false };
      }),
    attached(handle) {
      const one = handles.get(handle);
      if (!one) return;
      one.known = true;
      refresh(one);
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
    tenantMoved(tenant) {
      const its = [...handles.all()].filter(({ session }) => session.tenant === tenant);
      due.add(its, { tools: true, endings: [] });
    },
    sessionsEnded: (sessionIds, code) => due.add(handles.all(), { tools: false, endings: [{ sessionIds, code }] }),
    look(nowMs) {
      lookedAtMs = nowMs;
      due.add(handles.all(), { tools: false, endings: [] });
    },
    get size() {
      return handles.size;
    },
  };
}
