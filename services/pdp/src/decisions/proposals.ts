import { type JsonObject, NotCanonical } from "../foundation/canonical.ts";
import { canonicalInSlices } from "../foundation/canonical-in-slices.ts";
import type { Clock } from "../foundation/clock.ts";
import { digestedInSlices } from "../foundation/digest.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Caller, Identities } from "../identities/index.ts";
import type { Snapshots } from "../policies/index.ts";
import { type Attempt, createApproving, provenBy } from "./approving.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";
import { planOf } from "./plan.ts";
import type { Proposal } from "./proposal.ts";
import type { ProposalQuery, ProposalStore } from "./proposal-store.ts";

export type { Attempt } from "./approving.ts";

/** A request that somebody proposes. */
export interface Wanted {
  readonly method: string;
  /** The method's request as JSON. */
  readonly message: JsonObject;
  readonly reason: string;
  readonly waitsMs: number;
}

/**
 * Changes that take several people. What is attempted is the RPC that was proposed: it checks a request under the rights
 * of whoever it is given, and would make its change by what it is given for that.
 */
export interface Proposals {
  propose(by: Caller, wanted: Wanted, attempt: Attempt): Promise<Proposal>;
  /**
   * Approves what has this digest. With the last approval that it takes the change is made, or refused for good when it
   * cannot be: then what was wrong with it is thrown. `revision` is the tenant's once it is made. Asked again by who has
   * approved it, it answers the same.
   */
  approve(
    by: Caller,
    id: string,
    digest: string,
    attemptOf: (proposal: Proposal) => Attempt,
  ): Promise<{ readonly proposal: Proposal; readonly revision: bigint }>;
  reject(by: Caller, id: string, why: string, attemptOf: (proposal: Proposal) => Attempt): Promise<Proposal>;
  withdraw(by: Caller, id: string): Promise<Proposal>;
  get(by: Caller, id: string): Promise<Proposal>;
  list(by: Caller, query: ProposalQuery): Promise<readonly Proposal[]>;
  /** Ends what nobody has approved in time. */
  expire(): Promise<void>;
}

export interface ProposalRooms {
  readonly store: ProposalStore;
  readonly change: MakeChange;
  readonly identities: Pick<Identities, "callers" | "trust">;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Whom entries name when nobody asked. */
  readonly self: Pick<Caller, "id" | "name">;
}

/** What is agreed to, and its digest. The rows that it changes may be very many. */
async function requestOf(said: object): Promise<{ readonly request: string; readonly digest: Uint8Array }> {
  let request: string;
  try {
    request = await canonicalInSlices(said, turnOfTheLoop);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw invalid("message", `${error.path} ${error.message}`, { fix: "send less deep documents" });
  }
  const { digest, body } = await digestedInSlices("change", request, turnOfTheLoop);
  if (body.length <= limits.changeBytesMax) return { request, digest };
  throw invalid("message", `the change and what it replaces are ${body.length} bytes long`, {
    limit: `changeBytesMax: ${limits.changeBytesMax} bytes`,
    fix: "propose it in several parts",
  });
}

export function createProposals(rooms: ProposalRooms): Proposals {
  const { store, change, snapshots, clock, newId, self } = rooms;

  const get = async (by: Pick<Caller, "tenant">, id: string): Promise<Proposal> => {
    const found = await store.proposal(by.tenant, id);
    if (found) return found;
    throw new Fault("missing", "change_unknown", "there is no such change", {
      field: "change_id",
      fix: "list them: remit changes list",
    });
  };

  const end = async (by: Caller, id: string, as: "rejected" | "withdrawn", why: string): Promise<Proposal> => {
    await change(by, { kind: "change_ended", proposal: id, by: by.id, as, why });
    return get(by, id);
  };

  return {
    get,
    list: (by, query) => store.proposals(by.tenant, query),
    approve: createApproving(rooms, get),
    async propose(by, { method, message, reason, waitsMs }, attempt) {
      const { revisions } = await snapshots.current(by.tenant);
      const rows = await store.rowsNow(by.tenant, await planOf(attempt, by));
      const id = newId(clock.now());
      const revision = String(revisionNumber(revisions));
      const said = { v: 1, id, tenant: by.tenant, by: by.id, method, message, reason, revision, rows };
      const agreed = await requestOf(said);
      const proposal = { id, by: by.id, method, ...agreed, waitsMs, proven: provenBy(by) };
      await change(by, { kind: "change_proposed", proposal });
      return get(by, id);
    },
    async reject(by, id, why, attemptOf) {
      const found = await get(by, id);
      // Who could not make it may not end it either; whatever else is wrong with it by now does not matter.
      await planOf(attemptOf(found), by).catch((error) => {
        if (!(error instanceof Fault) || error.kind === "forbidden") throw error;
      });
      return end(by, id, "rejected", why);
    },
    async withdraw(by, id) {
      const found = await get(by, id);
      if (found.by.id === by.id) return end(by, id, "withdrawn", "");
      throw new Fault("forbidden", "change_same_person", "only who proposed a change takes it back", {
        fix: "reject it: remit changes reject",
      });
    },
    async expire() {
      for (const { tenant, id } of await store.overdue()) {
        const what = { proposal: id, by: undefined, as: "expired", why: "" } as const;
        await change({ ...self, tenant }, { kind: "change_ended", ...what }).catch((error: unknown) => {
          // Another replica was first.
          if (!(error instanceof Fault) || error.reason !== "change_over") throw error;
        });
      }
    },
  };
}
