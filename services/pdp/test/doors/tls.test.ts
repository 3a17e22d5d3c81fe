import { connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Asked, type Issued, makeAuthority } from "../support/authority.ts";
import { failure, furnish } from "../support/pdp.ts";
import { bindCertificates, startTlsHouse, type TlsHouse } from "../support/tls-house.ts";

const clerk = "spiffe://example.org/ns/shop/sa/clerk";
const HOUR_MS = 3_600_000;
const DIGITAL_SIGNATURE = 1;
let tls: TlsHouse;

beforeAll(async () => {
  tls = await startTlsHouse();
  await furnish(tls.house);
  await bindCertificates(tls, "spiffe://example.org/ns/shop/sa/*", ["clerk"]);
});
afterAll(() => tls.close());

const call = {
  callId: "c",
  tool: "invoices.read",
  input: { case: "inputObject" as const, value: {} },
  supportedConstraints: ["timeout", "maxOutputBytes"],
};
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const workload = (asked: Asked = {}) => tls.theirs.issue({ uris: [clerk], ...asked });
const open = (shown: Issued | undefined, options = {}) =>
  tls.clients(shown).sessionsByGrpc.openSession({ agent: "clerk" }, options);

test("a certificate says who calls, on both lanes and over either version of HTTP", async () => {
  const shown = workload();
  const effects: Effect[] = [];
  for (const version of ["1.1", "2"] as const) {
    const { sessions, decisions, sessionsByGrpc, decisionsByGrpc } = tls.clients(shown, version);
    const first = await sessions.openSession({ agent: "clerk" });
    const second = await sessionsByGrpc.openSession({ agent: "clerk" });
    const headers = { "remit-session": first.token };
    effects.push((await decisions.decide(call, { headers })).effect);
    effects.push((await decisionsByGrpc.decide(call, { headers: { "remit-session": second.token } })).effect);
  }
  expect(effects).toEqual([Effect.ALLOW, Effect.ALLOW, Effect.ALLOW, Effect.ALLOW]);
});

test("one that somebody below a trusted authority vouches for counts, with what links the two", async () => {
  const below = tls.theirs.below("below");
  const { certificate, key } = below.issue({ uris: [clerk] });
  const { session } = await open({ certificate: certificate + below.chain, key });
  expect(session?.agent).toBe("clerk");
});

test("without a certificate a key says who calls, and without either nobody is there", async () => {
  const { session } = await open(undefined, bearer(tls.house.ownerKey));
  expect(session?.agent).toBe("clerk");
  for (const shown of [undefined, tls.theirs.issue({ dns: ["clerk.shop"] })]) {
    expect(await failure(open(shown))).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
  }
});

test("a certificate that nothing is bound to has no rights, and a key beside it has its own", async () => {
  const stranger = tls.theirs.issue({ uris: ["spiffe://example.org/ns/elsewhere/sa/clerk"] });
  expect(await failure(open(stranger))).toMatchObject({ code: "PermissionDenied" });
  expect((await open(stranger, bearer(tls.house.ownerKey))).session?.agent).toBe("clerk");
});

test("whatever is sent beside a certificate must hold too, and be of the same tenant", async () => {
  const shown = workload();
  const owner = bearer(tls.house.ownerKey);
  expect((await open(shown, owner)).session?.agent).toBe("clerk");
  const garbage = await failure(open(shown, bearer(`rmt_${"A".repeat(43)}`)));
  expect(garbage).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
  const { ownerKey } = await tls.house.clients.tenants.createTenant({ tenant: "other" }, owner);
  const other = await failure(open(shown, bearer(ownerKey)));
  expect(other).toMatchObject({ code: "Unauthenticated", detail: { reason: "credentials_disagree" } });
});

test("a certificate opens nothing for an agent that its binding does not name", async () => {
  const { sessions } = tls.clients(workload());
  const refused = await failure(sessions.openSession({ agent: "porter" }));
  expect(refused).toMatchObject({ code: "PermissionDenied", detail: { reason: "agent_not_bound" } });
});

const invalid: readonly (readonly [string, Asked, string])[] = [
  ["two ids", { uris: [clerk, `${clerk}-2`] }, "2 URIs"],
  ["an id beside another URI", { uris: ["https://example.org", clerk] }, "2 URIs"],
  ["a trust domain for an id", { uris: ["spiffe://example.org"] }, "whole trust domain"],
  ["an authority's own flag", { uris: [clerk], authority: true, usage: DIGITAL_SIGNATURE }, "authority"],
  ["no key usage", { uris: [clerk], usage: null }, "no key usage"],
];
test.each(invalid)(
  "a certificate with %s is refused on every lane, even with a key beside it",
  async (_, asked, why) => {
    const shown = tls.theirs.issue(asked);
    const owner = bearer(tls.house.ownerKey);
    const { sessions, sessionsByGrpc, callers } = tls.clients(shown, "2");
    for (const refused of [
      await failure(sessionsByGrpc.openSession({ agent: "clerk" }, owner)),
      await failure(sessions.openSession({ agent: "clerk" }, owner)),
      await failure(callers.listCallers({}, owner)),
    ]) {
      expect(refused).toMatchObject({ code: "Unauthenticated", detail: { reason: "certificate_invalid" } });
      expect(refused.message).toContain(why);
    }
  },
);

const believed = {
  stranger: () => makeAuthority("theirs").issue({ uris: [clerk] }),
  expired: () => workload({ fromMs: Date.now() - HOUR_MS, untilMs: Date.now() - 60_000 }),
  early: () => workload({ fromMs: Date.now() + HOUR_MS, untilMs: Date.now() + 2 * HOUR_MS }),
  ours: () => tls.ours.issue({ uris: [clerk] }),
  authority: () => tls.theirs.issue({ uris: [clerk], authority: true }),
  selfMade: () => makeAuthority("self").issue({ uris: [clerk], name: "self" }),
};
test.each([
  ["an authority that only calls itself ours vouches", believed.stranger, /UNABLE_TO|SIGNATURE|UNABLE/],
  ["it has run out", believed.expired, /CERT_HAS_EXPIRED/],
  ["it is not valid yet", believed.early, /CERT_NOT_YET_VALID/],
  ["who vouches for the service vouches for it", believed.ours, /UNABLE/],
  ["it is an authority's", believed.authority, /INVALID_PURPOSE/],
  ["nobody vouches for it", believed.selfMade, /UNABLE|SELF_SIGNED/],
] as const)("a connection is turned away when %s, whatever key is sent", async (_, shown, said) => {
  const before = tls.lines.length;
  const countBefore = await turnedAway("certificate");
  const certificate = shown();
  const owner = bearer(tls.house.ownerKey);
  expect((await failure(open(certificate, owner))).code).toMatch(/Unavailable|Aborted|Unknown|Internal|Canceled/);
  const http = tls.clients(certificate).sessions.openSession({ agent: "clerk" }, owner);
  expect((await failure(http)).code).toMatch(/Unavailable|Aborted|Unknown|Internal|Canceled/);
  await expect.poll(() => turnedAway("certificate")).toBeGreaterThanOrEqual(countBefore + 2);
  // One line a second says why.
  const told = tls.lines.slice(before).filter(([, fields]) => fields.why === "certificate");
  for (const [, fields] of told) expect(fields.said).toMatch(said);
});

async function metric(name: string): Promise<number> {
  const page = await (await fetch(`http://${tls.house.pdp.metricsAddress}/metrics`)).text();
  const line = page.split("\n").find((each) => each.startsWith(name));
  return Number(line?.split(" ").at(-1) ?? 0);
}
async function turnedAway(why: string): Promise<number> {
  return metric(`remit_connections_turned_away_total{why="${why}"}`);
}

/** What a server says to a client that says this first, until it closes. */
function say(address: string, text: string | Buffer): Promise<string> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve) => {
    let heard = "";
    const socket = connectTcp({ host, port: Number(port) }, () => socket.write(text));
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
  });
}

test("who speaks in clear text to a port of TLS is told so, in HTTP/1.1 and in HTTP/2", async () => {
  const { grpcAddress, httpAddress, adminAddress } = tls.house.pdp;
  for (const address of [grpcAddress, httpAddress, adminAddress]) {
    expect(await say(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*this port speaks TLS/,
    );
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
    expect(await say(address, preface)).toContain("this port speaks TLS");
  }
  expect(await turnedAway("plaintext")).toBeGreaterThanOrEqual(6);
});

function handshake(address: string, options: object): Promise<TLSSocket> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: Number(port), ca: tls.ours.certificate, ...options }, () =>
      resolve(socket),
    );
    socket.on("error", reject);
  });
}

test("nothing below TLS 1.2, no suite without forward secrecy, and no other protocol within is agreed on", async () => {
  const { grpcAddress, httpAddress } = tls.house.pdp;
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
  await expect(handshake(httpAddress, old)).rejects.toThrow();
  const plainRsa = { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256:AES128-SHA" };
  await expect(handshake(httpAddress, plainRsa)).rejects.toThrow();
  await expect(handshake(grpcAddress, { ALPNProtocols: ["http/1.1"] })).rejects.toThrow();
  const [modern, older] = [
    await handshake(grpcAddress, { ALPNProtocols: ["h2"] }),
    await handshake(httpAddress, { maxVersion: "TLSv1.2" }),
  ];
  expect([modern.getProtocol(), modern.alpnProtocol, older.getProtocol()]).toEqual(["TLSv1.3", "h2", "TLSv1.2"]);
  for (const socket of [modern, older]) socket.destroy();
});

test("no handshake is taken up again, so that every certificate is judged anew", async () => {
  const shown = workload();
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"]) {
    const options = { cert: shown.certificate, key: shown.key, maxVersion };
    const first = await handshake(tls.house.pdp.httpAddress, options);
    const tickets: Buffer[] = [];
    first.on("session", (ticket: Buffer) => void tickets.push(ticket));
    first.write("GET /.well-known/jwks.json HTTP/1.1\r\nhost: a\r\n\r\n");
    await new Promise((resolve) => first.once("data", resolve));
    const session = tickets.at(-1) ?? first.getSession();
    first.destroy();
    const second = await handshake(tls.house.pdp.httpAddress, { ...options, session });
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  }
});

test("the header of a mesh counts for nothing where none is configured", async () => {
  const headers = { "x-forwarded-client-cert": `By=spiffe://a/b;URI=${clerk}` };
  const refused = await failure(open(undefined, { headers }));
  expect(refused).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
});
