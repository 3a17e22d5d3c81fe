import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ListValueSchema,
  type Timestamp,
  timestampDate,
  timestampFromDate,
  timestampMs,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import type { BoundSchema, ScopeSchema } from "@remit/proto/common";
import type { DelegateRequestSchema, OpenSessionRequestSchema, Session as WireSession } from "@remit/proto/session";
import { misuse, RemitError } from "./errors.ts";
import { GivenUp } from "./insist.ts";
import type { Holder } from "./lane.ts";
import type { Bound, Delegation, Scope, Session, SessionRequest } from "./session.ts";
import { isFinal } from "./session-end.ts";
import type { Timers } from "./timers.ts";

/** A session with what only the client knows of it. */
export interface HeldSession extends Holder {
  readonly session: Session;
  /** Why its calls are denied from now on; undefined while it is open. */
  endedBecause(): string | undefined;
  end(code: string): void;
  /** Sees to it that the token will do for a call: renews it in good time, and waits for that if it must. */
  fresh(): Promise<void>;
  renew(): Promise<void>;
}

type Opening = MessageInitShape<typeof OpenSessionRequestSchema>;
type Delegating = MessageInitShape<typeof DelegateRequestSchema>;

/** What OpenSession and RenewSession answer. */
interface Opened {
  readonly session?: WireSession | undefined;
  readonly token: string;
  readonly tokenExpiresAt?: Timestamp | undefined;
}

export interface SessionsOptions {
  readonly timers: Timers;
  open(request: Opening): Promise<Opened>;
  delegate(parent: Holder, request: Delegating): Promise<Opened>;
  renew(sessionId: string): Promise<Opened>;
  close(holder: Holder): Promise<void>;
  /** A session has another token now. */
  renewed(holder: Holder): void;
  newId(): string;
}

export interface Sessions {
  open(request: SessionRequest): Promise<Session>;
  /** A session that was opened elsewhere, by its id. */
  adopt(sessionId: string): Promise<Session>;
  /** Throws `RemitError` for a session of another client. */
  held(session: Session): HeldSession;
}

function writeOrder(name: "max" | "min", limit: number | string) {
  if (typeof limit === "number") return { case: name, value: limit };
  return { case: `${name}Decimal`, value: limit } as const;
}

function writeBound(bound: Bound): MessageInitShape<typeof BoundSchema> {
  const { tool, path } = bound;
  if ("max" in bound) return { tool, path, limit: writeOrder("max", bound.max) };
  if ("min" in bound) return { tool, path, limit: writeOrder("min", bound.min) };
  if ("in" in bound) {
    return { tool, path, limit: { case: "inLiterals", value: fromJson(ListValueSchema, [...bound.in]) } };
  }
  if ("prefix" in bound) return { tool, path, limit: { case: "prefix", value: bound.prefix } };
  return { tool, path, limit: { case: "equalsLiteral", value: fromJson(ValueSchema, bound.equals) } };
}

function writeScope(scope: Scope): MessageInitShape<typeof ScopeSchema> {
  return {
    tools: [...scope.tools],
    bounds: (scope.bounds ?? []).map(writeBound),
    labels: { ...scope.labels },
    maxDepth: scope.maxDepth ?? 0,
    ...(scope.expiresAt && { expiresAt: timestampFromDate(scope.expiresAt) }),
    disclose: scope.disclose ?? false,
  };
}

function onBehalfOf({ principal, subjectToken }: SessionRequest): Pick<Opening, "onBehalfOf"> {
  if (principal && subjectToken !== undefined) {
    throw misuse("principal", "a session is opened with a principal or with a subject token", "pass one of them");
  }
  if (subjectToken !== undefined) return { onBehalfOf: { case: "subjectToken", value: subjectToken } };
  if (!principal) return {};
  return { onBehalfOf: { case: "principal", value: { id: principal.id, labels: { ...principal.labels } } } };
}

function writeOpening(request: SessionRequest, newId: () => string): Opening {
  return {
    agent: request.agent,
    ...onBehalfOf(request),
    purpose: request.purpose ?? "",
    ...(request.scope && { scope: writeScope(request.scope) }),
    budgets: [...(request.budgets ?? [])],
    maxLifetimeSeconds: request.maxLifetimeSeconds ?? 0,
    // With an id of the run, an opening whose answer was lost can be asked again.
    runId: request.runId ?? newId(),
    labels: { ...request.labels },
    agentVersion: request.agentVersion ?? "",
    model: request.model ?? "",
    promptDigest: request.promptDigest ?? "",
    framework: request.framework ?? "",
  };
}

function writeDelegation(delegation: Delegation, newId: () => string): Delegating {
  return {
    agent: delegation.agent,
    scope: writeScope(delegation.scope),
    budget: (delegation.budget ?? []).map(({ unit, value }) => ({ unit, value })),
    purpose: delegation.purpose ?? "",
    maxLifetimeSeconds: delegation.maxLifetimeSeconds ?? 0,
    runId: delegation.runId ?? newId(),
    labels: { ...delegation.labels },
    agentVersion: delegation.agentVersion ?? "",
    model: delegation.model ?? "",
    promptDigest: delegation.promptDigest ?? "",
    framework: delegation.framework ?? "",
  };
}

/** The token of a session, renewed when three quarters of its life are over. */
function createToken(opened: Opened, options: SessionsOptions, renewNow: () => Promise<Opened>, renewed: () => void) {
  const { timers } = options;
  const read = ({ token, tokenExpiresAt }: Opened) => {
    const expiresAtMs = tokenExpiresAt ? timestampMs(tokenExpiresAt) : Number.POSITIVE_INFINITY;
    return { text: token, expiresAtMs, lifeMs: expiresAtMs - timers.wallMs() };
  };
  let token = read(opened);
  let renewing: Promise<void> | undefined;

  const renew = (): Promise<void> => {
    renewing ??= renewNow()
      .then((answer) => {
        token = read(answer);
        renewed();
      })
      .finally(() => {
        renewing = undefined;
      });
    return renewing;
  };
  return {
    text: () => token.text,
    renew,
    fresh: async (): Promise<void> => {
      const { expiresAtMs, lifeMs } = token;
      // A token that came expired tells that the clocks differ: then only Remit knows, and says token_expired.
      if (!(lifeMs > 0) || lifeMs === Number.POSITIVE_INFINITY) return;
      const leftMs = expiresAtMs - timers.wallMs();
      if (leftMs <= 0) await renew();
      // Nobody waits for this one; should it fail, the next call tries again.
      else if (leftMs < lifeMs / 4) renew().catch(() => {});
    },
  };
}

function hold(opened: Opened, options: SessionsOptions, keep: (opened: Opened) => Session): HeldSession {
  const wire = opened.session;
  if (!wire || opened.token === "") {
    const fields = { status: "DATA_LOSS", reason: "answer_invalid", retryable: false };
    throw new RemitError("Remit answered without a session", fields);
  }
  let endedBecause: string | undefined;
  const token = createToken(
    opened,
    options,
    async () => {
      try {
        return await options.renew(wire.id);
      } catch (error) {
        const cause = error instanceof GivenUp ? error.last : error;
        if (cause instanceof RemitError && isFinal(cause.reason)) endedBecause ??= cause.reason;
        throw cause ?? error;
      }
    },
    () => options.renewed(held),
  );
  const session: Session = {
    id: wire.id,
    agent: wire.agent,
    principal: {
      id: wire.principal?.id ?? "",
      verified: wire.principal?.verified ?? false,
      labels: { ...wire.principal?.labels },
    },
    purpose: wire.purpose,
    runId: wire.runId,
    labels: { ...wire.labels },
    expiresAt: wire.expiresAt ? timestampDate(wire.expiresAt) : new Date(Number.NaN),
    get endedBecause() {
      return endedBecause;
    },
    parentId: wire.parentId === "" ? undefined : wire.parentId,
    delegate: async (delegation) => {
      await token.fresh();
      return keep(await options.delegate(held, writeDelegation(delegation, options.newId)));
    },
    renew: token.renew,
    close: async () => {
      endedBecause ??= "session_closed";
      await options.close(held);
    },
  };
  const held: HeldSession = {
    id: wire.id,
    session,
    token: token.text,
    endedBecause: () => endedBecause,
    end: (code) => {
      endedBecause ??= code;
    },
    fresh: token.fresh,
    renew: token.renew,
  };
  return held;
}

export function createSessions(options: SessionsOptions): Sessions {
  const known = new WeakMap<Session, HeldSession>();
  const keep = (opened: Opened): Session => {
    const held = hold(opened, options, keep);
    known.set(held.session, held);
    return held.session;
  };
  return {
    open: async (request) => keep(await options.open(writeOpening(request, options.newId))),
    adopt: async (sessionId) => keep(await options.renew(sessionId)),
    held: (session) => {
      const held = known.get(session);
      if (held) return held;
      throw misuse("session", "this session was not opened by this client", "open it with openSession of this client");
    },
  };
}
