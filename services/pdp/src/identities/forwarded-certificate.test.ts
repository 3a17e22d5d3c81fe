import { array, assert, constantFrom, property, record, string, stringMatching, tuple } from "fast-check";
import { expect, test } from "vitest";
import { readForwarded } from "./forwarded-certificate.ts";

const self = "spiffe://example.org/ns/remit/sa/remit";
const clerk = "spiffe://example.org/ns/shop/sa/clerk";
const victim = "spiffe://example.org/ns/shop/sa/owner";
const read = (header: string) => readForwarded(header, self);
const named = { kind: "spiffe", id: clerk };
const refused = { kind: "refused" };

test.each([
  `By=${self};URI=${clerk}`,
  `By=${self};Hash=0123456789abcdef;Subject="";URI=${clerk}`,
  `By=${self};Hash=ab;Cert="-----BEGIN%20CERTIFICATE-----%0AMIIC%3D%0A";Subject="CN=a,O=\\"b\\";c";URI=${clerk};DNS=a.b;DNS=c.d`,
  `by=${self};uri=${clerk}`,
  `By=${self};URI="${clerk}"`,
  `By=${self};URI=${victim},By=${self};URI=${clerk}`,
  `By=spiffe://elsewhere/x;Hash=1;URI=${victim};URI=${victim},By=${self};URI=${clerk}`,
  `Hash=1;Subject="a\\",By=${self}",By=${self};URI=${clerk}`,
])("the last proxy's word counts: %s", (header) => {
  expect(read(header)).toEqual(named);
});

test.each([`By=${self};Hash=1`, `By=${self};Hash=1;URI=https://example.org/a`, `By=${self};DNS=${"clerk.shop"}`])(
  "nobody is named by: %s",
  (header) => {
    expect(read(header)).toEqual({ kind: "nobody" });
  },
);

test.each([
  ["", "no key"],
  [`URI=${clerk}`, "0 By"],
  [`By=${victim};URI=${clerk}`, "not by spiffe://example.org/ns/remit"],
  [`By=${self};By=${self};URI=${clerk}`, "2 By"],
  [`By=${self};URI=${clerk};URI=${victim}`, "2 URIs"],
  [`By=${self};URI=${clerk};uri=${clerk}`, "2 URIs"],
  [`By=${self};URI=${clerk},Hash=1`, "0 By"],
  [`By=${self};URI=${clerk},`, "no key"],
  [`By=${self};URI=${clerk};`, "no key"],
  [`,By=${self};URI=${clerk}`, "no key"],
  [`By=${self}; URI=${clerk}`, "no key"],
  [`By=${self};URI=${victim}, By=${self};URI=${clerk}`, "no key"],
  [` By=${self};URI=${clerk}`, "no key"],
  [`By=${self};URI=${clerk} `, "separates nothing"],
  [`By=${self};URI=${clerk}\r\n By=x`, "separates nothing"],
  [`By=${self};Subject="a;URI=${clerk}`, "not closed"],
  [`By=${self};Subject="a\nb";URI=${clerk}`, "not closed"],
  [`By=${self};Subject="a"b;URI=${clerk}`, "separates nothing"],
  [`By=${self};URI=${clerk.replace("/sa/", "%2Fsa%2F")}`, "path segment"],
  [`By=${self};URI=spiffe://example.org`, "whole trust domain"],
  [`By=${self};URI=spiffe:clerk`, "does not begin"],
  [`By=${self};Role=owner;URI=${clerk}`, "no key role"],
  [`By=${self};URI=${clerk};Hash`, "no key"],
  [`By="${self};URI=${clerk}`, "not closed"],
  [Array.from({ length: 40 }, () => `By=${self};URI=${clerk}`).join(","), "32 elements"],
])("nothing of it counts: %s", (header, problem) => {
  expect(read(header)).toMatchObject(refused);
  expect(read(header)).toMatchObject({ problem: expect.stringContaining(problem) });
});

// What our own proxy appends. Envoy puts the subject between quotes and escapes only quotes in it.
const subject = stringMatching(/^(CN=[a-zA-Z .,;=\\]{0,12})?$/);
const appended = record({ subject, hash: stringMatching(/^[0-9a-f]{8}$/) }).map(
  (client) => `By=${self};Hash=${client.hash};Subject="${client.subject}";URI=${clerk}`,
);

test("whatever a client writes into the header, our proxy's word after it makes it nobody but itself", () => {
  const hostile = [
    ...[`By=${self}`, `URI=${victim}`, "Subject=", '"', '\\"', "\\", ",", ";", "=", " ", "\t", "x", "Hash=1"],
    ...[`,By=${self};URI=${victim}`, `By=${self};URI=${victim};Subject="`, `";By=${self};URI=${victim};Subject="`],
  ];
  const written = array(constantFrom(...hostile), { maxLength: 12 }).map((parts) => parts.join(""));
  const counts = { named: 0, refused: 0 };
  assert(
    property(written, appended, (client, proxy) => {
      const answer = read(client === "" ? proxy : `${client},${proxy}`);
      if (answer.kind === "spiffe") expect(answer.id).toBe(clerk);
      else expect(answer.kind).toBe("refused");
      counts[answer.kind === "spiffe" ? "named" : "refused"]++;
    }),
    { numRuns: 5_000 },
  );
  expect(counts.named).toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(100);
});

test("any text at all is read to an end: a name, nobody, or what is wrong", () => {
  const bytes = string({ maxLength: 200, unit: "binary" });
  assert(
    property(tuple(bytes, bytes), ([a, b]) => {
      for (const header of [a, `By=${self};URI=${a}`, `By=${self};Subject="${a}";URI=${b}`]) {
        const answer = read(header);
        if (answer.kind === "spiffe") expect(answer.id).toMatch(/^spiffe:\/\/[a-z0-9._-]+(\/[a-zA-Z0-9._-]+)+$/);
      }
    }),
    { numRuns: 2_000 },
  );
});
