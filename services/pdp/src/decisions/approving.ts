import { canonicalInSlices } from "../foundation/canonical-in-slices.ts";
import { digestText } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { type Caller, presently, type Remembered } from "../identities/index.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";
import { planOf } from "./plan.ts";
import type { Approved, ChangedRow, Proposal } from "./proposal.ts";
import type { ProposalRooms, Proposals } from "./proposals.ts";

/** Does an RPC's own checks under a caller's rights, and makes its change by what it is given for that. */
export type Attempt = (by: Caller, change: MakeChange) => Promise<unknown>;

/** What somebody without a key has proven, for when they are not here. */
export const provenBy = ({ word }: Caller): Remembered | undefined =>
  word && { source: word.source, groups: word.groups };

/** How often a change is tried anew because the tenant changed at the same moment. */
const RACES_MAX = 8;

const isFault = (error: unknown): error is Fault => error instanceof Fault;

/** What can be wrong with a change for good; the rest is the store's, and passes. */
const FINAL: ReadonlySet<Fault["kind"]> = new Set([
  "invalid",
  "forbidden",
  "missing",
  "conflict",
  "precondition",
  "aborted",
]);

const isFinal = (error: unknown): error is Fault => isFault(error) && FINAL.has(error.kind);

function requireOpen({ state, digest }: Proposal, seen: string): void {
  if (state !== "proposed") {
    throw new Fault("precondition", "change_over", `this change is no longer proposed: it is ${state}`, {
      field: "change_id",
      fix: "look at it: remit changes show; propose it again if it is still wanted",
    });
  }
  if (digestText(digest) === seen) return;
  throw new Fault("precondition", "change_differs", "this is not what is proposed", {
    field: "digest",
    fix: "look at the proposal, and approve the digest that it has",
  });
}

function movedOn(): Fault {
  return new Fault("aborted", "revision_conflict", "what it would change is no longer as it was proposed", {
    fix: "look at what changed, and propose it again",
  });
}

/** Whether rows are what others are. They may be a megabyte long. */
async function sameRows(some: readonly ChangedRow[], others: readonly ChangedRow[]): Promise<boolean> {
  const one = await canonicalInSlices(some, turnOfTheLoop);
  return one === (await canonicalInSlices(others, turnOfTheLoop));
}

/** A change that was approved and cannot be made. */
class CannotBeMade extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

const isOver = (error: unknown) =>
  isFault(error) && ["change_over", "change_same_person", "change_differs"].includes(error.reason);

/** Makes a change once enough have approved it. */
function createSettling({ store, change, identities }: ProposalRooms) {
  /** Whether a caller may do it now: forbidden is no, anything else is about the change itself. */
  const may = async (attempt: Attempt, by: Caller | undefined): Promise<boolean> => {
    if (!by) return false;
    return planOf(attempt, by).then(
      () => true,
      (error) => {
        if (!isFinal(error)) throw error;
        return error.kind !== "forbidden";
      },
    );
  };

  /** What it writes is what was agreed to, row by row. */
  const requireSame = async (proposal: Proposal, attempt: Attempt, proposer: Caller): Promise<void> => {
    const now = await store.rowsNow(proposal.tenant, await planOf(attempt, proposer));
    if (!(await sameRows(now, proposal.rows))) throw movedOn();
  };

  /** Makes the change, under the rights that its proposer has now. */
  const make = async (proposal: Proposal, attempt: Attempt, approved: Approved, proposer: Caller | undefined) => {
    if (!proposer || !(await may(attempt, proposer))) {
      throw new Fault("forbidden", "role_missing", `${proposal.by.name}, who proposed it, may not do this any more`);
    }
    let revision = 0n;
    for (let races = 0; ; races++) {
      await requireSame(proposal, attempt, proposer);
      try {
        await attempt(proposer, async (by, what, traceId) => {
          const made = await change(by, what, traceId, approved);
          if (made.ok) revision = revisionNumber(made.value.revisions);
          return made;
        });
        return revision;
      } catch (error) {
        // Another change of the tenant came in between. What this one writes is looked at again.
        const raced = isFault(error) && error.reason === "revision_conflict" && races < RACES_MAX;
        if (!raced) throw error;
      }
    }
  };

  /** Makes it when enough have approved it, `last` included. */
  return async (by: Caller, proposal: Proposal, attempt: Attempt, last: boolean) => {
    const [callers, trust] = await Promise.all([
      identities.callers(proposal.tenant),
      identities.trust(proposal.tenant),
    ]);
    const nowOf = async (id: string, proven: Remembered | undefined) => {
      const found = callers.find((one) => one.id === id);
      return found && (await presently(found, trust, proven));
    };
    const counting: Caller[] = [];
    for (const one of proposal.approvals) {
      const caller = await nowOf(one.by.id, one.proven);
      if (caller && (await may(attempt, caller))) counting.push(caller);
    }
    if (last && (await may(attempt, by))) counting.push(by);
    if (counting.length < Math.max(proposal.people, 2) - 1) return undefined;
    const approved: Approved = {
      ...{ id: proposal.id, digest: proposal.digest, proposedBy: proposal.by, endedBy: by.id },
      approvedBy: counting.map(({ id, name }) => ({ id, name })),
      last: last ? { id: by.id, proven: provenBy(by) } : undefined,
    };
    const proposer = await nowOf(proposal.by.id, proposal.proven);
    return make(proposal, attempt, approved, proposer).catch((error: unknown) => {
      if (isFinal(error) && !isOver(error)) throw new CannotBeMade(error);
      throw error;
    });
  };
}

export function createApproving(
  rooms: ProposalRooms,
  get: (by: Pick<Caller, "tenant">, id: string) => Promise<Proposal>,
): Proposals["approve"] {
  const { change } = rooms;
  const settle = createSettling(rooms);

  const refuse = async (by: Caller, proposal: Proposal, fault: Fault): Promise<void> => {
    const why = `${fault.reason}: ${fault.message}`.slice(0, 1000);
    await change(by, { kind: "change_ended", proposal: proposal.id, by: by.id, as: "refused", why });
  };

  const approveOnce = async (by: Caller, proposal: Proposal, attempt: Attempt): Promise<bigint> => {
    const { id, digest } = proposal;
    const mine = proposal.approvals.some((one) => one.by.id === by.id);
    if (!mine) {
      const made = await settle(by, proposal, attempt, true);
      if (made !== undefined) return made;
      await change(by, { kind: "change_approved", proposal: id, by: by.id, digest, proven: provenBy(by) });
    }
    // Others may have approved it at the same moment, each believing that one more was to come.
    const after = mine ? proposal : await get(by, id);
    return after.state === "proposed" ? ((await settle(by, after, attempt, false)) ?? 0n) : 0n;
  };

  return async (by, id, digest, attemptOf) => {
    const proposal = await get(by, id);
    const mine = proposal.approvals.some((one) => one.by.id === by.id);
    if (mine && proposal.state === "applied" && digestText(proposal.digest) === digest) {
      return { proposal, revision: 0n };
    }
    requireOpen(proposal, digest);
    const attempt = attemptOf(proposal);
    // Their own rights first: nobody ends by an approval what they may not make.
    await planOf(attempt, by).catch((error) => {
      if (!isFinal(error) || error.kind === "forbidden") throw error;
    });
    try {
      const revision = await approveOnce(by, proposal, attempt);
      return { proposal: await get(by, id), revision };
    } catch (error) {
      if (!(error instanceof CannotBeMade)) throw error;
      await refuse(by, proposal, error.fault);
      throw error.fault;
    }
  };
}
