import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { perSecond } from "../foundation/token-bucket.ts";
import type { Caller, Rates } from "../identities/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { type QuotaName, type Quotas, quotaExceeded, type Snapshots } from "../policies/index.ts";

/**
 * Who is let in when much is asked: by how full the house is, then by how often this caller and its tenant ask. In the
 * order in which they are turned away: Explain, Decide; reports and the closing of sessions never are.
 */
export interface Admission {
  /** Throws `exhausted`. `inFlight`: calls that are being decided or explained here now. */
  admit(rpc: "Decide" | "Explain", caller: Caller, inFlight: number): void;
  /** The same for what is asked about sessions; opening one counts against a quota of its own. */
  admitSession(caller: Caller, opening: boolean): void;
  /** The same for the admin plane. */
  admitAdmin(caller: Caller): void;
}

interface Fullness {
  /** Of the queue into the ledger, for what is not a report: see `Ledger.fill`. */
  readonly fill: number;
  readonly inFlight: number;
}

/** The limit that stands in the way of one more call, or undefined. */
export function shedding(rpc: "Decide" | "Explain", { fill, inFlight }: Fullness): string | undefined {
  const fillMax = rpc === "Explain" ? limits.explainFillPercentMax / 100 : 1;
  const inFlightMax = rpc === "Explain" ? limits.explainInFlightMax : limits.callsInFlightMax;
  if (fill >= fillMax) return `${Math.round(fillMax * 100)} percent of the queue into the ledger`;
  return inFlight >= inFlightMax ? `${inFlightMax} calls in flight` : undefined;
}

function overloaded(rpc: string, limit: string): Fault {
  return new Fault("exhausted", "overloaded", `too much is asked at once; ${rpc} is turned away`, {
    limit,
    fix: "ask again later",
  });
}

export function createAdmission(rooms: {
  readonly snapshots: Pick<Snapshots, "held">;
  readonly ledger: Pick<Ledger, "fill">;
  readonly rates: Rates;
  /** Monotonic: rates do not go by the time that policies see. */
  readonly clock: Clock;
  /** For callers whose tenant has no quota for them. */
  readonly callerCallsPerSecond: number;
}): Admission {
  const { snapshots, ledger, rates, clock, callerCallsPerSecond } = rooms;

  const quota = (bucket: string, tenant: string, quotas: Quotas, name: QuotaName) => {
    const max = quotas[name];
    if (max === undefined) return;
    if (rates.take(`${bucket}/${tenant}`, perSecond(max), clock.now()) > 0) throw quotaExceeded(name, max);
  };
  const callerRate = ({ id }: Caller, quotas: Quotas) => {
    const max = quotas.callerDecisionsPerSecond ?? callerCallsPerSecond;
    if (rates.take(id, perSecond(max), clock.now()) > 0) throw quotaExceeded("callerDecisionsPerSecond", max);
  };
  // What this process does not know yet it learns by the very call that is let in.
  const quotasOf = ({ tenant }: Caller): Quotas => snapshots.held(tenant)?.settings.quotas ?? {};

  return {
    admit(rpc, caller, inFlight) {
      const limit = shedding(rpc, { fill: ledger.fill(), inFlight });
      if (limit !== undefined) throw overloaded(rpc, limit);
      const quotas = quotasOf(caller);
      callerRate(caller, quotas);
      quota("decisions", caller.tenant, quotas, "decisionsPerSecond");
    },
    admitSession(caller, opening) {
      const quotas = quotasOf(caller);
      callerRate(caller, quotas);
      if (opening) quota("sessions", caller.tenant, quotas, "sessionsPerSecond");
    },
    admitAdmin(caller) {
      const max = limits.adminCallsPerSecondMax;
      if (rates.take(`admin/${caller.id}`, perSecond(max), clock.now()) === 0) return;
      throw overloaded("the admin plane", `${max} calls a second of one caller`);
    },
  };
}
