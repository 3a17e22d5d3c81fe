import { afterAll, beforeAll, expect, test } from "vitest";
import { makeKey, startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, readInvoice, startHouse } from "../support/pdp.ts";
import { putBinding, putIssuer } from "../support/trusting.ts";

const aud = "remit:default";
const away = { code: "Unavailable", detail: { reason: "issuer_unavailable", retryable: true } };

let house: House;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
});
afterAll(() => house.close());

let made = 0;
async function trusted(): Promise<TestIssuer> {
  const issuer = await startIssuer();
  const name = `idp-${++made}`;
  await putIssuer(house, { name, issuer: issuer.url });
  await putBinding(house, { name, issuer: name, subject: "**", agents: ["clerk"] });
  return issuer;
}
const open = (token: string) => openSession(house, {}, token);

test.each<[string, NonNullable<TestIssuer["respond"]>]>([
  ["hangs", () => undefined],
  ["answers garbage", (_request, response) => void response.end("<html>keys</html>")],
  ["answers something else", (_request, response) => void response.end('{"keys":"none"}')],
  ["answers 10 MB", (_request, response) => void response.end(Buffer.alloc(10_000_000, 32))],
  ["fails", (_request, response) => void response.writeHead(500).end("{}")],
  ["hangs up", (request) => void request.socket.destroy()],
  ["sends elsewhere", (_request, response) => void response.writeHead(302, { location: "/keys?again" }).end()],
])("an issuer that %s proves nobody, and holds nobody else up", async (_does, respond) => {
  await using issuer = await trusted();
  issuer.respond = respond;
  const token = await issuer.token({ sub: "s", aud });
  const [refused, other] = await Promise.all([failure(open(token)), openSession(house)]);
  expect(refused).toMatchObject(away);
  expect(other.session.agent).toBe("clerk");
});

test("an issuer that went away is believed by the keys that are known, and by no other", async () => {
  await using issuer = await trusted();
  const { headers } = await open(await issuer.token({ sub: "s", aud }));
  issuer.respond = (request) => request.socket.destroy();
  await readInvoice(house, headers, "known");
  await open(await issuer.token({ sub: "t", aud }));
  issuer.keys = [await makeKey()];
  expect(await failure(open(await issuer.token({ sub: "s", aud })))).toMatchObject(away);
});

test("keys that somebody makes up are not asked for again and again", async () => {
  await using issuer = await trusted();
  await open(await issuer.token({ sub: "s", aud }));
  const forged = await Promise.all(
    Array.from({ length: 12 }, async (_, at) => {
      await using elsewhere = await startIssuer(await makeKey("ES256", `made-up-${at}`));
      return elsewhere.token({ iss: issuer.url, sub: "s", aud });
    }),
  );
  for (const token of forged) await failure(open(token));
  expect(issuer.asked.times).toBeLessThanOrEqual(4);
  await open(await issuer.token({ sub: "s", aud, jti: "another" }));
});
