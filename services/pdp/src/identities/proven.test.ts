import { beforeEach, expect, test } from "vitest";
import { createAuthenticate } from "./authenticate.ts";
import type { Caller } from "./caller.ts";
import { createCertificates } from "./certificates.ts";
import type { Loaded } from "./identity-store.ts";
import { createKeeping } from "./keeping.ts";
import { createProven, type Stranger } from "./proven.ts";
import type { Binding } from "./trust.ts";

const ID = "spiffe://example.org/ns/prod/sa/clerk";
const binding: Binding = {
  ...{ name: "clerks", issuer: "spiffe", subject: "spiffe://example.org/ns/prod/**", group: undefined },
  ...{ agents: ["clerk"], mayAssertPrincipals: false, roles: [] },
};

let state: { bindings: Binding[]; security: bigint; known: bigint; rows: Caller[]; reads: number };
/** News of the newest revision known, which name the callers that changed. */
let heard: (changed: readonly string[]) => void;
beforeEach(() => {
  state = { bindings: [binding], security: 1n, known: 1n, rows: [], reads: 0 };
});

function open() {
  const loaded = <Row>(row: Row): Loaded<Row> => {
    state.reads++;
    return { row, security: state.security };
  };
  const store = {
    trust: async (tenant: string) => loaded({ tenant, issuers: [], bindings: [...state.bindings] }),
    callerBySubject: async (tenant: string, kind: string, _issuer: string, subject: string) => {
      const row = state.rows.find(({ proof, ...of }) => of.tenant === tenant && proof?.subject === subject);
      return row && row.proof?.kind === kind ? loaded(row) : null;
    },
  };
  const sight = async (stranger: Stranger) => {
    const rights = { roles: [], agents: [], mayAssertPrincipals: false, revoked: false, createdAtMs: 0 };
    state.rows.push({ ...stranger, ...rights, id: `c${state.rows.length}` });
  };
  const keeping = createKeeping({ security: () => state.known, catchUp: async () => {} });
  const { fresh } = keeping;
  const proven = createProven({ store, keeping, sight });
  heard = (changed) => {
    proven.kept.told(new Set(changed));
    keeping.raise({ revisions: new Map([["t", { security: state.known }]]), signers: [] });
  };
  const key = async (authorization: string | undefined): Promise<Loaded<Caller>> => {
    if (authorization === "Bearer good") return loaded({ id: "by-key", tenant: "t" } as Caller);
    throw new Error("no such key");
  };
  const tenantOfWorkload = async () => ({ row: { tenant: "t" }, security: 1_000n });
  return createAuthenticate({
    certificate: createCertificates({ proven, fresh, store: { tenantOfWorkload } }),
    token: key,
    key,
  });
}

test("a bound certificate is a caller from its first sight on, and read once", async () => {
  const who = open();
  const first = await who({ authorization: undefined, certified: () => ID }, false);
  expect(first.row).toMatchObject({
    ...{ id: "c0", name: ID, agents: ["clerk"] },
    proof: { kind: "spiffe", issuer: "spiffe://example.org", subject: ID },
  });
  const { reads } = state;
  expect((await who({ authorization: undefined, certified: () => ID }, false)).row.id).toBe("c0");
  expect(state.reads).toBe(reads);
});

test("a certificate comes before a key, and one that nobody bound leaves it to the key", async () => {
  const who = open();
  expect((await who({ authorization: "Bearer good", certified: () => ID }, false)).row.id).toBe("c0");
  const other = "spiffe://example.org/ns/dev/sa/clerk";
  expect((await who({ authorization: "Bearer good", certified: () => other }, false)).row.id).toBe("by-key");
  await expect(who({ authorization: undefined, certified: () => other }, false)).rejects.toThrow("no binding");
  expect(state.rows).toHaveLength(1);
});

test("a binding that is narrowed or gone counts at the next use after the change is known", async () => {
  const who = open();
  await who({ authorization: undefined, certified: () => ID }, false);
  state.bindings = [{ ...binding, agents: ["porter"] }];
  state.security = state.known = 2n;
  expect((await who({ authorization: undefined, certified: () => ID }, false)).row.agents).toEqual(["porter"]);
  state.bindings = [];
  state.security = 3n;
  await expect(who({ authorization: undefined, certified: () => ID }, true)).rejects.toThrow("no binding");
  state.known = 3n;
  await expect(who({ authorization: undefined, certified: () => ID }, false)).rejects.toThrow("no binding");
});

test("a caller that was revoked is let in by no certificate", async () => {
  const who = open();
  await who({ authorization: undefined, certified: () => ID }, false);
  state.rows = state.rows.map((row) => ({ ...row, revoked: true }));
  state.security = state.known = 2n;
  await expect(who({ authorization: undefined, certified: () => ID }, false)).rejects.toMatchObject({
    reason: "token_invalid",
  });
});

test("a change that is not about a caller has nobody read its row again; one that is, has", async () => {
  const who = open();
  const comes = (anew = false) => who({ authorization: undefined, certified: () => ID }, anew);
  for (const _ of [1, 2]) await comes(true);
  state.security = state.known = 2n;
  heard([]);
  const { reads } = state;
  expect((await comes()).security).toBe(2n);
  // What its tenant says of whom to believe, for all of its callers.
  expect(state.reads - reads).toBe(1);
  state.rows = state.rows.map((row) => ({ ...row, revoked: true }));
  state.security = state.known = 3n;
  // Without news of it, nothing that is kept passes for new; with them, it is read.
  await expect(comes()).rejects.toMatchObject({ reason: "token_invalid" });
  heard(["c0"]);
  await expect(comes()).rejects.toMatchObject({ reason: "token_invalid" });
});

test("what a tenant says is read once for all who wait for it, and anew for whoever asks for what is newer", async () => {
  const waiting: (() => void)[] = [];
  const given: (object | undefined)[] = [];
  const store = {
    trust: async (tenant: string, known?: object) => {
      given.push(known);
      await new Promise<void>((go) => waiting.push(go));
      return { row: { tenant, issuers: [], bindings: [] }, security: BigInt(given.length) };
    },
    callerBySubject: async () => null,
  };
  const keeping = createKeeping({ security: () => 1n, catchUp: async () => {} });
  const { trust } = createProven({ store, keeping, sight: async () => {} });
  const first = [trust("t", false), trust("t", false)];
  const anew = [trust("t", true), trust("t", true)];
  expect(given).toHaveLength(1);
  waiting.shift()?.();
  expect((await Promise.all(first)).map(({ security }) => security)).toEqual([1n, 1n]);
  await expect.poll(() => waiting.length).toBe(1);
  // One that asks now, while that read is under way, is answered by none that began before.
  const later = trust("t", true);
  waiting.shift()?.();
  expect((await Promise.all(anew)).map(({ security }) => security)).toEqual([2n, 2n]);
  await expect.poll(() => waiting.length).toBe(1);
  waiting.shift()?.();
  expect((await later).security).toBe(3n);
  // Each is told what is held, so that it is not read again where it is the same.
  expect(given[0]).toBeUndefined();
  expect(given[2]).toBe((await anew[0])?.row);
});
