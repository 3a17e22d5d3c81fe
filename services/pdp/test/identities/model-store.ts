import type { SessionState } from "../../src/identities/index.ts";

/** What a statement sees of others' transactions, as Postgres has it. */
export interface ModelSnapshot {
  readonly xmin: number;
  readonly xmax: number;
  readonly running: ReadonlySet<number>;
}

interface Version {
  readonly xid: number;
  readonly state: SessionState;
}

/** A store of callers and sessions in which transactions overlap: rows have versions, and a statement its snapshot. */
export function createModelStore(ids: readonly string[]) {
  const rows = new Map<string, Version[]>(ids.map((id) => [id, [{ xid: 0, state: "open" }]]));
  const revisions: { readonly xid: number; readonly revision: bigint }[] = [{ xid: 0, revision: 0n }];
  const running = new Set<number>();
  const locked = new Set<string>();
  let nextXid = 1;

  const visible = (xid: number, seen: ModelSnapshot) => xid < seen.xmax && !seen.running.has(xid);
  return {
    snapshot: (): ModelSnapshot => ({
      xmin: Math.min(nextXid, ...running),
      xmax: nextXid,
      running: new Set(running),
    }),
    visible,
    /** Whether another transaction is at work on a row. */
    isLocked: (id: string) => locked.has(id),
    write(id: string, state: SessionState): number {
      const xid = nextXid++;
      running.add(xid);
      locked.add(id);
      rows.get(id)?.push({ xid, state });
      return xid;
    },
    /** Commits; with `security` the tenant's counter moves last, as its row is locked until here. */
    commit(xid: number, id: string, security: boolean): bigint {
      const last = revisions.at(-1)?.revision ?? 0n;
      if (security) revisions.push({ xid, revision: last + 1n });
      running.delete(xid);
      locked.delete(id);
      return last + 1n;
    },
    stateOf: (id: string, seen: ModelSnapshot): SessionState =>
      rows.get(id)?.findLast(({ xid }) => visible(xid, seen))?.state ?? "open",
    revisionOf: (seen: ModelSnapshot): bigint => revisions.findLast(({ xid }) => visible(xid, seen))?.revision ?? 0n,
    /** Rows whose newest visible version is of a transaction that `include` takes. */
    changed: (seen: ModelSnapshot, include: (xid: number) => boolean): readonly { id: string; state: SessionState }[] =>
      [...rows].flatMap(([id, versions]) => {
        const newest = versions.findLast(({ xid }) => visible(xid, seen));
        return newest && newest.xid > 0 && include(newest.xid) ? [{ id, state: newest.state }] : [];
      }),
  };
}
