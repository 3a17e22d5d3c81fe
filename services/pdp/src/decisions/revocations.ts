import { canonical } from "../foundation/canonical.ts";
import type { Clock } from "../foundation/clock.ts";
import { digest } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { Revocable, Snapshots } from "../policies/index.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";
import type { Revocation, RevocationQuery, RevocationStore } from "./revocation-store.ts";

/** Rounds against others who revoke and lift the same at the same moment. */
const RACES_MAX = 8;

/** Revokes and lifts: when either resolves, every call that is asked later is decided by it, everywhere. */
export interface Revocations {
  /** Idempotent: what is revoked already is answered as it is. */
  revoke(
    by: Caller,
    subject: Revocable,
    reason: string,
  ): Promise<{
    readonly revocation: Revocation;
    readonly created: boolean;
    /** Whether something of that name is registered now. */
    readonly known: boolean;
    readonly revision: bigint;
  }>;
  /** Idempotent, too. Widens authority: whatever that takes was asked before. */
  lift(
    by: Caller,
    id: string,
    reason: string,
  ): Promise<{ readonly revocation: Revocation; readonly lifted: boolean; readonly revision: bigint }>;
  list(by: Caller, query: RevocationQuery): Promise<Revocation[]>;
}

/** The subject of a halt by labels: one text for the same labels in whatever order. */
export function haltOf(labels: Readonly<Record<string, string>>): Revocable {
  return { kind: "labels", subject: digest("halt", canonical({ ...labels })), labels };
}

function unknownRevocation(): Fault {
  return new Fault("missing", "revocation_unknown", "there is no such revocation", {
    field: "revocation_id",
    fix: "look at `remit revocations`",
  });
}

function sessionUnknown(): Fault {
  return new Fault("missing", "session_unknown", "there is no such session", { field: "subject.session" });
}

function staysRevoked(): Fault {
  return new Fault("precondition", "session_revoked", "a session that was revoked stays revoked", {
    field: "revocation_id",
    fix: "open another session",
  });
}

function raced(): Fault {
  return new Fault("aborted", "revision_conflict", "others revoke and lift the same at this moment", {
    fix: "ask again",
  });
}

export function createRevocations(rooms: {
  readonly revocationStore: RevocationStore;
  readonly change: MakeChange;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}): Revocations {
  const { revocationStore: store, change, snapshots, clock, newId } = rooms;

  const known = async ({ tenant }: Caller, { kind, subject }: Revocable): Promise<boolean> => {
    // The revocation is made: not being able to say this now is no failure of it.
    const snapshot =
      snapshots.held(tenant) ?? (await Promise.resolve(snapshots.current(tenant)).catch(() => undefined));
    if (kind === "agent") return snapshot?.agents.has(subject) ?? false;
    return kind !== "tool" || (snapshot?.tools.has(subject) ?? false);
  };
  /** What a revocation that was made says: as it was made, when it cannot be read now. */
  const made = async (by: Caller, subject: Revocable, id: string, reason: string): Promise<Revocation> => {
    const found = await store.revocation(by.tenant, id).catch(() => null);
    const maker = { id: by.id, name: by.name };
    return found ?? { ...subject, id, reason, atMs: clock.now(), by: maker, expiresAtMs: undefined, lifted: undefined };
  };
  const revision = async (tenant: string) => revisionNumber((await snapshots.latest(tenant)).revisions);

  return {
    async revoke(by, subject, reason) {
      for (let races = 0; races < RACES_MAX; races++) {
        const id = newId(clock.now());
        const done = await change(by, { kind: "revoked", revocation: { ...subject, id, reason, by: by.id } });
        if (done.ok) {
          const revocation = await made(by, subject, id, reason);
          const after = revisionNumber(done.value.revisions);
          return { revocation, created: true, known: await known(by, subject), revision: after };
        }
        if (done.refusal === "missing") throw sessionUnknown();
        const before = await store.living(by.tenant, subject);
        if (before) {
          const after = await revision(by.tenant);
          return { revocation: before, created: false, known: await known(by, subject), revision: after };
        }
      }
      throw raced();
    },
    async lift(by, id, reason) {
      const before = await store.revocation(by.tenant, id);
      if (!before) throw unknownRevocation();
      if (before.kind === "session") throw staysRevoked();
      if (before.lifted) return { revocation: before, lifted: false, revision: await revision(by.tenant) };
      const done = await change(by, { kind: "revocation_lifted", id, by: by.id, reason });
      if (done.ok) {
        const after = await store.revocation(by.tenant, id).catch(() => null);
        const lifted = { atMs: clock.now(), by: { id: by.id, name: by.name }, reason };
        const revocation = after ?? { ...before, lifted };
        return { revocation, lifted: true, revision: revisionNumber(done.value.revisions) };
      }
      // Somebody else lifted it at this moment.
      const now = await store.revocation(by.tenant, id);
      if (!now?.lifted) throw raced();
      return { revocation: now, lifted: false, revision: await revision(by.tenant) };
    },
    list(by, query) {
      return store.revocations(by.tenant, query);
    },
  };
}
