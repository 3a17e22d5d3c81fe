import { randomFillSync } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { wrappingKey } from "../foundation/key-wrap.ts";
import { createAuthenticate } from "./authenticate.ts";
import { type Caller, keyHash, newKey } from "./caller.ts";
import { createCallers } from "./callers.ts";
import { createIdentities } from "./identities.ts";
import type { IdentityStore, Loaded, StoredSigningKey } from "./identity-store.ts";
import { type ChangedRows, createKeeping } from "./keeping.ts";
import type { Session } from "./session.ts";
import { openSigningKeys } from "./signing-keys.ts";
import { createTokens } from "./tokens.ts";

const NOW_MS = Date.parse("2026-03-01T09:00:00Z");
const random = (bytes: Uint8Array) => void randomFillSync(bytes);
const wrapping = { current: wrappingKey(Buffer.alloc(32, 1)) };
const key = newKey(random);

const caller: Caller = {
  ...{ id: "c1", tenant: "t", name: "checkout", roles: [], agents: ["*"], mayAssertPrincipals: false },
  ...{ revoked: false, createdAtMs: 0 },
};
const session: Session = {
  ...{ id: "s1", tenant: "t", agent: "clerk", purpose: "", scope: undefined, labels: {}, runId: undefined },
  ...{ state: "open", parent: undefined, ancestors: [], depth: 0, openedBy: "c1", details: {} },
  ...{ openedAtMs: NOW_MS, expiresAtMs: NOW_MS + 86_400_000, principal: { id: "mia", verified: false, labels: {} } },
};

/** A store in memory whose rows and revision a test changes, and that counts what is read. */
function memoryStore() {
  const keys: StoredSigningKey[] = [];
  const state = { caller, session, security: 1n, reads: 0, beforeAnswer: async () => {} };
  const read = async <Row>(row: Row): Promise<Loaded<Row>> => {
    state.reads++;
    const loaded = { row, security: state.security };
    await state.beforeAnswer();
    return loaded;
  };
  const store: IdentityStore = {
    callerByKeyHash: async (hash) => (keyHash(key).equals(hash) ? read(state.caller) : null),
    callerBySubject: async () => null,
    issuersOf: async () => [],
    tenantOfWorkload: async () => ({ row: { tenant: "t" }, security: state.security }),
    trust: async (tenant) => ({ row: { tenant, issuers: [], bindings: [] }, security: state.security }),
    callers: async () => [state.caller],
    session: async (tenant, id) => {
      if (tenant !== "t" || id !== "s1") return null;
      return { ...(await read(state.session)), signers: keys.map(({ kid }) => kid) };
    },
    sessionByRun: async () => null,
    signingKeys: async () => [...keys].reverse(),
    addFirstSigningKey: async (made) => {
      if (keys.length === 0) keys.push(made);
      return [...keys];
    },
  };
  return { store, state, keys };
}

let memory: ReturnType<typeof memoryStore>;
let known = 1n;
const clock = { now: () => nowMs };
let nowMs = NOW_MS;

const keysOf = (store: IdentityStore) => openSigningKeys({ store, wrapping, random, clock, pause: async () => {} });

/** Identities whose callers come by their keys alone. */
async function openOn(store: IdentityStore, security: () => bigint, catchUp = async () => {}) {
  const keeping = createKeeping({ security, catchUp });
  const keys = createCallers({ store, keeping, clock: { now: () => 0 } });
  const provePrincipal = async () => {
    throw new Error("nobody is proved here");
  };
  return createIdentities({
    ...{ store, keeping, tokens: createTokens({ keys: await keysOf(store), clock }), sessionsMax: 100 },
    authenticate: createAuthenticate({ certificate: async () => null, token: keys.find, key: keys.find }),
    ...{ keptCallers: [keys], provePrincipal },
    trust: async (tenant) => ({ row: { tenant, issuers: [], bindings: [] }, security: 1n }),
  });
}

const open = (catchUp?: () => Promise<void>) => openOn(memory.store, () => known, catchUp);

beforeEach(() => {
  memory = memoryStore();
  known = 1n;
  nowMs = NOW_MS;
});

test("caller and session are read once, and again after a security change", async () => {
  const identities = await open();
  const { token } = await identities.issueToken(session);
  const who = async () => identities.session(await identities.authenticate({ authorization: `Bearer ${key}` }), token);
  await who();
  await who();
  expect(memory.state.reads).toBe(2);
  known = 2n;
  memory.state.security = 2n;
  await who();
  expect(memory.state.reads).toBe(4);
});

test("a key that was revoked is refused as soon as the change is known", async () => {
  const identities = await open();
  await identities.authenticate({ authorization: `Bearer ${key}` });
  memory.state.caller = { ...caller, revoked: true };
  memory.state.security = known = 2n;
  await expect(identities.authenticate({ authorization: `Bearer ${key}` })).rejects.toThrow("revoked");
});

const NOBODY: ChangedRows = {
  sessions: { open: new Set(), closed: new Set(), revoked: new Set() },
  callers: new Set(),
};
const news = (security: bigint, changed: Partial<ChangedRows> | null = {}, signers = [...memory.keys]) => ({
  revisions: new Map([["t", { security }]]),
  changed: changed ? { ...NOBODY, ...changed } : undefined,
  signers: signers.map(({ kid }) => kid),
});

test("after a security change that is not about them, what is kept is known under it, and nothing is read", async () => {
  const identities = await open();
  identities.heard(news(1n, null));
  const { token } = await identities.issueToken(session);
  const asker = () => identities.asker({ authorization: `Bearer ${key}` }, token);
  expect((await asker()).security).toBe(1n);
  known = 2n;
  identities.heard(news(2n));
  expect((await asker()).security).toBe(2n);
  expect(memory.state.reads).toBe(2);
});

test("what the news name is read again, and no more than that", async () => {
  const identities = await open();
  identities.heard(news(1n, null));
  const { token } = await identities.issueToken(session);
  const asker = () => identities.asker({ authorization: `Bearer ${key}` }, token);
  await asker();
  memory.state.security = known = 2n;
  memory.state.session = { ...session, scope: { tools: ["notes.*"] } };
  identities.heard(news(2n, { sessions: { ...NOBODY.sessions, open: new Set(["s1"]) } }));
  expect((await asker()).session.scope).toEqual({ tools: ["notes.*"] });
  expect(memory.state.reads).toBe(3);
  memory.state.caller = { ...caller, revoked: true };
  memory.state.security = known = 3n;
  identities.heard(news(3n, { callers: new Set(["c1"]) }));
  await expect(asker()).rejects.toThrow("revoked");
});

test("the first news that follow on none before let nothing pass for new that was read until then", async () => {
  const identities = await open();
  const { token } = await identities.issueToken(session);
  await identities.asker({ authorization: `Bearer ${key}` }, token);
  identities.heard(news(1n, null));
  await identities.asker({ authorization: `Bearer ${key}` }, token);
  expect(memory.state.reads).toBe(4);
});

test("whoever needs newer news than there are waits for one look, and reads where none comes", async () => {
  let looks = 0;
  const identities = await open(async () => void looks++);
  identities.heard(news(1n, null));
  const { token } = await identities.issueToken(session);
  const asker = () => identities.asker({ authorization: `Bearer ${key}` }, token);
  await asker();
  memory.state.security = known = 2n;
  expect((await asker()).security).toBe(2n);
  expect({ looks, reads: memory.state.reads }).toEqual({ looks: 2, reads: 4 });
});

test("a key that was retired at once is refused by what is kept, once the news say so", async () => {
  const identities = await open();
  identities.heard(news(1n, null));
  const { token } = await identities.issueToken(session);
  await identities.session(caller, token);
  memory.state.security = known = 2n;
  memory.keys.splice(0);
  identities.heard(news(2n, {}, []));
  await expect(identities.session(caller, token)).rejects.toMatchObject({ reason: "token_invalid" });
});

test("a row that is older than the change it was read before does not count", async () => {
  const identities = await open();
  memory.state.beforeAnswer = async () => {
    memory.state.security = known = 2n;
  };
  await identities.authenticate({ authorization: `Bearer ${key}` });
  memory.state.beforeAnswer = async () => {};
  await identities.authenticate({ authorization: `Bearer ${key}` });
  expect(memory.state.reads).toBe(2);
});

test("a session that ended while its row was on the way is ended", async () => {
  const identities = await open();
  const { token } = await identities.issueToken(session);
  memory.state.beforeAnswer = async () => {
    memory.state.session = { ...session, state: "closed" };
    identities.ended(new Set(["s1"]));
    memory.state.beforeAnswer = async () => {};
  };
  expect((await identities.session(caller, token)).state).toBe("closed");
  expect((await identities.session(caller, token)).state).toBe("closed");
});

test("a session that ended after it was remembered is ended", async () => {
  const identities = await open();
  const { token } = await identities.issueToken(session);
  expect((await identities.session(caller, token)).state).toBe("open");
  identities.ended(new Set(["s1", "never-heard-of"]));
  expect((await identities.session(caller, token)).state).toBe("closed");
});

test("a token counts until it runs out, for reports a day longer, and its expiry is judged at every use", async () => {
  const identities = await open();
  const { token, expiresAtMs } = await identities.issueToken(session);
  await identities.session(caller, token);
  nowMs = expiresAtMs;
  await expect(identities.session(caller, token)).rejects.toMatchObject({ reason: "token_expired" });
  await identities.session(caller, token, "report");
  nowMs = expiresAtMs + 86_400_000;
  await expect(identities.session(caller, token, "report")).rejects.toMatchObject({ reason: "token_expired" });
});

test("a token never outlives its session", async () => {
  const identities = await open();
  const { expiresAtMs } = await identities.issueToken({ ...session, expiresAtMs: NOW_MS + 5_000 });
  expect(expiresAtMs).toBe(NOW_MS + 5_000);
});

test("a token signed by a replica that made its key later is verified after one more read", async () => {
  const first = await open();
  const other = memoryStore();
  const elsewhere = await openOn(other.store, () => 1n);
  const { token } = await elsewhere.issueToken(session);
  await expect(first.session(caller, token)).rejects.toMatchObject({ reason: "token_invalid" });
  memory.keys.push(...other.keys);
  expect((await first.session(caller, token)).id).toBe("s1");
});

test("keys that another wrapping key wrapped are refused at the start, with what to do", async () => {
  await open();
  const other = { current: wrappingKey(Buffer.alloc(32, 2)) };
  await expect(openSigningKeys({ store: memory.store, wrapping: other, random, clock })).rejects.toThrow(
    "REMIT_KEY_ENCRYPTION_KEY",
  );
});
