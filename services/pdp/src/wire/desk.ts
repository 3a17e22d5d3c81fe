import type { Admission, Ask, Asker, Decision, Explained, Reported, Told, WhoAsks } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import type { Caller, Identities } from "../identities/index.ts";
import type { Call } from "./call.ts";
import type { CauseSink } from "./errors.ts";

/** What the RPCs of the data plane share: the rooms they call, and who is at work for whom. */
export interface Desk {
  readonly identities: Identities;
  /** `source`: whose calls are decided in the order in which they came. */
  readonly decide: (who: WhoAsks, ask: Ask, source: object | string) => Promise<Decision>;
  readonly report: (who: WhoAsks, told: Told) => Promise<Reported>;
  readonly explain: (who: WhoAsks, ask: Ask) => Promise<Explained>;
  /** Finds out who asks by a unary call's headers; `sessionToken`: of a frame, whose stream has sessions of many. */
  whoAsks(call: Call, use?: "decide" | "report", sessionToken?: string): WhoAsks;
  mayDiagnose(caller: Caller): boolean;
  /** How old what is known here of a tenant may be, in whole milliseconds. */
  stalenessMs(tenant: string): number;
  /** How long this call may still take. Throws when its deadline has passed. */
  withinMs(call: Pick<Call, "deadlineMs">): number;
  /** Where large calls are spread over turns. */
  readonly turns: TurnRoom;
  readonly meter: Meter;
  /** Takes the causes of errors that a frame or an item of a batch is answered with. */
  readonly sink: CauseSink;
  /** Counts a call in; answers what counts it out. Refuses it when too much is asked. */
  enter(rpc: "Decide" | "Explain", asker: Asker): () => void;
}

/** What is counted of the data plane. `lane`: grpc, connect or exchange. */
export interface Meter {
  decided(lane: string, effect: string, seconds: number): void;
  /** A decision that was only observed, by the effect that enforcement would have had. */
  observed(would: string): void;
  /** A decision on which those who were tried say otherwise: what is in force answers this, and they that. */
  candidateDiffers(from: string, to: string): void;
  reported(seconds: number): void;
  /** A request that was turned away because of load. */
  shed(rpc: string): void;
}

interface Settings {
  /** For a caller that names no deadline. */
  readonly deadlineDefaultMs: number;
}

type Rooms = Pick<Desk, "identities" | "decide" | "report" | "explain" | "stalenessMs" | "turns" | "meter" | "sink"> & {
  readonly admission: Admission;
};

function sessionTooBusy(): Fault {
  return new Fault("exhausted", "overloaded", "the session has too many calls in flight", {
    limit: `${limits.callsInFlightPerSessionMax} calls in flight a session`,
    fix: "wait for answers before asking again",
  });
}

export function createDesk(rooms: Rooms, { deadlineDefaultMs }: Settings): Desk {
  const inFlight = new Map<string, number>();
  let allInFlight = 0;
  const leave = (session: string) => {
    allInFlight--;
    const left = (inFlight.get(session) ?? 1) - 1;
    if (left === 0) inFlight.delete(session);
    else inFlight.set(session, left);
  };
  return {
    ...rooms,
    whoAsks: (call, use, sessionToken = call.sessionToken) => {
      return (anew) => rooms.identities.asker(call, sessionToken, use, anew);
    },
    withinMs({ deadlineMs }) {
      if (deadlineMs === undefined) return deadlineDefaultMs;
      const leftMs = deadlineMs - Date.now();
      if (leftMs > 0) return leftMs;
      throw new Fault("timeout", "deadline_exceeded", "the call's deadline has passed", {
        fix: "allow more time, and ask again with the same call_id",
      });
    },
    mayDiagnose: ({ roles }) => roles.includes("diagnose") || roles.includes("owner"),
    enter(rpc, { caller, session: { id: session } }) {
      const already = inFlight.get(session) ?? 0;
      try {
        if (already >= limits.callsInFlightPerSessionMax) throw sessionTooBusy();
        rooms.admission.admit(rpc, caller, allInFlight);
      } catch (error) {
        rooms.meter.shed(rpc);
        throw error;
      }
      inFlight.set(session, already + 1);
      allInFlight++;
      let counted = true;
      return () => {
        if (counted) leave(session);
        counted = false;
      };
    },
  };
}
