import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import {
  type Binding,
  type Caller,
  checkBinding,
  checkIssuer,
  type Identities,
  type Issuer,
  requireRole,
  type Trust,
} from "../identities/index.ts";
import type { Snapshots } from "../policies/index.ts";
import type { Maker } from "./audit.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";
import type { PutEffect } from "./registry.ts";

/** Who asks, at which RPC. */
type Actor = Caller & Maker;

/** What putting an issuer or a binding did, or would do. */
export interface Believed<Row> {
  readonly row: Row;
  readonly effect: PutEffect;
  readonly revision: bigint;
}

/** Says whom a tenant believes, and what that gives. Every change acts at once, wherever the old word was believed. */
export interface Believing {
  trust(caller: Caller): Promise<Trust>;
  putIssuer(by: Actor, issuer: Issuer, dryRun: boolean): Promise<Believed<Issuer>>;
  putBinding(by: Actor, binding: Binding, dryRun: boolean): Promise<Believed<Binding>>;
  /** Deletes by name, all in one revision, which it answers. Each must be there. */
  remove(by: Actor, kind: "issuer" | "binding", names: readonly string[], dryRun: boolean): Promise<bigint>;
}

/** Refuses who does not operate the cell what could make somebody its operator. */
function requireMayTouch(by: Caller, bindings: readonly Binding[]): void {
  if (bindings.some(({ roles }) => roles.includes("cell-operator"))) requireRole(by, "cell-operator");
}

function taken(error: "exists" | "missing" | "revision_conflict", field: string): Fault {
  if (error === "exists") {
    return new Fault("conflict", "name_taken", "one of the audiences is in use already for this issuer", {
      field,
      fix: "use another audience: remit:<tenant> is nobody else's",
    });
  }
  return new Fault("aborted", "revision_conflict", "another change came in between", { fix: "try again" });
}

function unknown(kind: "issuer" | "binding", name: string | undefined): Fault {
  const message = name === undefined ? `not every ${kind} of these is there` : `there is no ${kind} ${name}`;
  return new Fault("missing", `${kind}_unknown`, message, { field: "names", fix: `see \`remit ${kind}s list\`` });
}

const same = (one: object | undefined, other: object) =>
  one !== undefined && canonical(one as Canonicalisable) === canonical(other as Canonicalisable);

export function createBelieving(rooms: {
  readonly identities: Pick<Identities, "trust">;
  readonly snapshots: Pick<Snapshots, "current">;
  readonly change: MakeChange;
  /** Whether issuers may be on this machine. */
  readonly loopback: boolean;
}): Believing {
  const { identities, snapshots, change, loopback } = rooms;
  const now = async ({ tenant }: Caller) => revisionNumber((await snapshots.current(tenant)).revisions);

  /** Makes a change of one row, unless it changes nothing or is only tried. */
  const put = async <Row extends Issuer | Binding>(
    by: Actor,
    row: Row,
    held: Row | undefined,
    dryRun: boolean,
    made: Parameters<MakeChange>[1],
  ): Promise<Believed<Row>> => {
    const effect = same(held, row) ? "none" : held === undefined ? "created" : "replaced";
    if (dryRun || effect === "none") return { row, effect, revision: await now(by) };
    const applied = await change(by, made);
    if (!applied.ok) throw taken(applied.refusal, "audiences");
    return { row, effect, revision: revisionNumber(applied.value.revisions) };
  };

  return {
    trust: ({ tenant }) => identities.trust(tenant),
    async putIssuer(by, issuer, dryRun) {
      const trust = await identities.trust(by.tenant);
      checkIssuer(issuer, trust, loopback);
      const bound = trust.bindings.filter((binding) => binding.issuer === issuer.name);
      requireMayTouch(by, bound);
      if (issuer.use === "principals" && bound.length > 0) {
        throw invalid("use", `the binding ${bound[0]?.name} says that ${issuer.name} proves callers`, {
          fix: "delete the bindings first, or trust the issuer for principals under another name",
        });
      }
      const held = trust.issuers.find(({ name }) => name === issuer.name);
      return put(by, issuer, held, dryRun, { kind: "issuer_put", issuer });
    },
    async putBinding(by, binding, dryRun) {
      const trust = await identities.trust(by.tenant);
      checkBinding(binding, trust);
      const held = trust.bindings.find(({ name }) => name === binding.name);
      requireMayTouch(by, held ? [binding, held] : [binding]);
      return put(by, binding, held, dryRun, { kind: "binding_put", binding });
    },
    async remove(by, kind, names, dryRun) {
      const { issuers, bindings } = await identities.trust(by.tenant);
      const held: readonly { readonly name: string }[] = kind === "issuer" ? issuers : bindings;
      const [there, gone] = [new Set(held.map(({ name }) => name)), new Set(names)];
      const missing = names.find((name) => !there.has(name));
      if (missing !== undefined || names.length === 0) throw unknown(kind, missing);
      requireMayTouch(
        by,
        bindings.filter(({ name, issuer }) => gone.has(kind === "issuer" ? issuer : name)),
      );
      if (dryRun) return now(by);
      const applied = await change(by, { kind: `${kind}s_deleted`, names: [...gone] });
      if (applied.ok) return revisionNumber(applied.value.revisions);
      throw applied.refusal === "missing" ? unknown(kind, undefined) : taken(applied.refusal, "names");
    },
  };
}
