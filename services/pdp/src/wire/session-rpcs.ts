import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CloseSessionRequest,
  type CloseSessionResponse,
  CloseSessionResponseSchema,
  type DelegateRequest,
  type DelegateResponse,
  DelegateResponseSchema,
  type GetSessionRequest,
  type GetSessionResponse,
  GetSessionResponseSchema,
  type OpenSessionRequest,
  type OpenSessionResponse,
  OpenSessionResponseSchema,
  type RenewSessionRequest,
  type RenewSessionResponse,
  RenewSessionResponseSchema,
} from "@remit/proto/session";
import type { Admission, OpenedSession, Sessions } from "../decisions/index.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Identities } from "../identities/index.ts";
import type { Call, Unary } from "./call.ts";
import { uuidField } from "./convert/fields.ts";
import { delegationFrom, openingFrom, sessionToWire } from "./convert/session.ts";
import type { Meter } from "./desk.ts";

/** `SessionService`, one function an RPC. */
export interface SessionRpcs {
  readonly openSession: Unary<OpenSessionRequest, OpenSessionResponse>;
  readonly renewSession: Unary<RenewSessionRequest, RenewSessionResponse>;
  readonly delegate: Unary<DelegateRequest, DelegateResponse>;
  readonly getSession: Unary<GetSessionRequest, GetSessionResponse>;
  readonly closeSession: Unary<CloseSessionRequest, CloseSessionResponse>;
}

export function sessionRpcs(rooms: {
  readonly identities: Identities;
  readonly sessions: Sessions;
  readonly admission: Admission;
  readonly meter: Pick<Meter, "shed">;
  readonly clock: Clock;
}): SessionRpcs {
  const { identities, sessions, admission, meter, clock } = rooms;
  // From the store: opening and closing pass no commit that would refuse a key that was revoked elsewhere.
  const callerOf = (call: Call) => identities.authenticate(call, true);
  /** The same for what is asked for; nothing is read for whoever asks too often. */
  const askerOf = async (call: Call, rpc: "OpenSession" | "RenewSession" | "Delegate" | "GetSession") => {
    const caller = await identities.authenticate(call);
    try {
      admission.admitSession(caller, rpc === "OpenSession");
    } catch (error) {
      meter.shed(rpc);
      throw error;
    }
    return callerOf(call);
  };
  const withToken = ({ token, tokenExpiresAtMs, ...seen }: OpenedSession) => ({
    session: sessionToWire(seen, clock.now()),
    token,
    tokenExpiresAt: timestampFromMs(tokenExpiresAtMs),
  });
  return {
    async openSession(request, call) {
      const caller = await askerOf(call, "OpenSession");
      return create(OpenSessionResponseSchema, withToken(await sessions.open(caller, openingFrom(request))));
    },
    async renewSession(request, call) {
      const caller = await askerOf(call, "RenewSession");
      const renewed = await sessions.renew(caller, uuidField(request.sessionId, "session_id"));
      return create(RenewSessionResponseSchema, withToken(renewed));
    },
    async delegate(request, call) {
      await askerOf(call, "Delegate");
      // From the store: a parent that was closed anywhere hands nothing over.
      const asker = await identities.asker(call, call.sessionToken, "decide", true);
      return create(DelegateResponseSchema, withToken(await sessions.delegate(asker, delegationFrom(request))));
    },
    async getSession(request, call) {
      const caller = await askerOf(call, "GetSession");
      const session = await sessions.get(caller, uuidField(request.sessionId, "session_id"));
      return create(GetSessionResponseSchema, { session: sessionToWire(session, clock.now()) });
    },
    async closeSession(request, call) {
      const caller = await callerOf(call);
      const session = await sessions.close(caller, uuidField(request.sessionId, "session_id"));
      return create(CloseSessionResponseSchema, { session: sessionToWire(session, clock.now()) });
    },
  };
}
