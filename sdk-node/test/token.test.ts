import { afterAll, beforeAll, expect, test } from "vitest";
import { makeKey, startIssuer, type TestIssuer } from "../../services/pdp/test/support/issuer.ts";
import { furnish, type House, openSession, startHouse } from "../../services/pdp/test/support/pdp.ts";
import { putBinding, putIssuer } from "../../services/pdp/test/support/trusting.ts";
import { createClient } from "../src/index.ts";

const aud = "remit:default";

let house: House;
let issuer: TestIssuer;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  issuer = await startIssuer();
  await putIssuer(house, { name: "idp", issuer: issuer.url });
  await putBinding(house, { name: "all", issuer: "idp", subject: "**", agents: ["clerk"] });
});
afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

test("tokens of an issuer speak for a process, on the stream too, and one that is refused is replaced", async () => {
  let fetched = 0;
  const token = async () => {
    fetched++;
    return issuer.token({ sub: "worker", aud, jti: `${fetched}` });
  };
  const client = createClient({ address: house.pdp.grpcAddress, token, deadlineMs: 10_000 });
  const session = await client.openSession({ agent: "clerk" });
  const read = (callId: string) => client.guard(session, { tool: "invoices.read", input: {}, callId }, () => callId);
  expect(await read("first")).toBe("first");
  expect(fetched).toBe(1);
  // The key that signed it is taken away, and the service hears of that by somebody else's new token.
  issuer.keys = [await makeKey()];
  await openSession(house, {}, await issuer.token({ sub: "other", aud }));
  expect(await read("second")).toBe("second");
  expect(fetched).toBe(2);
  expect(await Promise.all(["third", "fourth"].map(read))).toEqual(["third", "fourth"]);
  expect(fetched).toBe(2);
  await client.close();
});
