import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { CLIENT, OTHER_CLIENT } from "./support/issuer.ts";
import { type Office, openOffice } from "./support/people.ts";
import { createUserAgent } from "./support/user-agent.ts";

let office: Office;

beforeAll(async () => {
  office = await openOffice();
});

afterAll(() => office[Symbol.asyncDispose]());

beforeEach(async () => {
  office.issuer.setAway(false);
  office.issuer.setIdTokenSeconds(600);
  await office.remit(["logout", "--all"]);
});

const whoami = async (env: Record<string, string> = {}) => {
  const ran = await office.remit(["whoami", "--json"], { env });
  return { ...ran, who: ran.out === "" ? undefined : JSON.parse(ran.out) };
};

test("a person logs in by the browser, has the roles of their groups, and is known by what proves it", async () => {
  const ran = await office.logIn("bo");
  expect(ran).toMatchObject({ code: 0, err: expect.stringContaining("logged in as staff/bo") });
  const { who } = await whoami();
  expect(who).toMatchObject({
    ...{ tenant: "default", kind: "person", roles: expect.arrayContaining(["policy-author", "policy-approver"]) },
    proof: { source: "staff", issuer: office.issuer.url, subject: "bo", bindings: ["engineers", "policy-leads"] },
  });
  expect(Date.parse(who.proof.expiresAt)).toBeGreaterThan(Date.now());
  const file = join(office.configDir, "logins.json");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await office.remit(["policy", "list"])).code).toBe(0);
});

test("what is not of the person's groups is refused", async () => {
  await office.logIn("ada");
  expect((await office.remit(["policy", "list"])).code).toBe(0);
  const refused = await office.remit(["keys", "create", "mine", "--role", "owner"]);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("role_missing") });
});

test("a person whom no binding lets in is told so, and no login is kept", async () => {
  const ran = await office.logIn("eve");
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("caller_not_bound") });
  expect(await office.remit(["whoami"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("nobody has logged in"),
  });
});

test("an answer with another state is ignored, and the login goes on", async () => {
  const statuses: number[] = [];
  const ran = await office.logIn("ada", {
    steer: async (answer) => {
      const forged = new URL(answer);
      forged.searchParams.set("state", "another");
      statuses.push((await fetch(forged)).status);
      statuses.push((await fetch(new URL("/favicon.ico", answer))).status);
      statuses.push((await fetch(answer)).status);
    },
  });
  expect(ran).toMatchObject({ code: 0, err: expect.stringContaining("the answer to another login") });
  expect(statuses).toEqual([400, 404, 200]);
});

test("an answer whose token was made for another login's nonce logs nobody in", async () => {
  const ran = await office.logIn("ada", {
    // A page that swaps the code for one of a login that it began itself, with the same challenge but another nonce.
    steer: async (answer, began) => {
      const other = new URL(began);
      other.searchParams.set("nonce", "another");
      const { url } = await createUserAgent().follow(other.href, ({ pathname }) => pathname === "/callback");
      const swapped = new URL(answer);
      swapped.searchParams.set("code", url.searchParams.get("code") ?? "");
      await fetch(swapped);
    },
  });
  expect(ran).toMatchObject({ code: expect.toBeOneOf([1, 3]), err: expect.stringMatching(/nonce/) });
  expect((await office.remit(["whoami"])).code).toBe(2);
});

test("a code that was used before, and one of another login's verifier, log nobody in", async () => {
  let used: URL | undefined;
  await office.logIn("ada", {
    steer: async (answer) => {
      used = answer;
      await fetch(answer);
    },
  });
  await office.remit(["logout"]);
  const again = await office.logIn("ada", {
    steer: async (answer) => {
      const replayed = new URL(answer);
      replayed.searchParams.set("code", used?.searchParams.get("code") ?? "");
      await fetch(replayed);
    },
  });
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining("invalid_grant") });
});

test("a person who says no at the issuer is told so", async () => {
  const ran = await office.logIn("ada", {
    steer: async (answer) => {
      const denied = new URL(answer);
      denied.searchParams.delete("code");
      denied.searchParams.set("error", "access_denied");
      await fetch(denied);
    },
  });
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("access_denied") });
});

test("a client that the service does not trust is refused by the service", async () => {
  const ran = await office.logIn("ada", { args: ["--client-id", OTHER_CLIENT] });
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("token_invalid") });
});

test("nobody who comes in time is told, and so is an issuer that is away", async () => {
  const late = await office.remit(["login", "--no-browser", "--timeout", "1s"]);
  expect(late).toMatchObject({ code: 1, err: expect.stringContaining("nobody logged in within 1 seconds") });
  office.issuer.setAway(true);
  const away = await office.remit(["login", "--no-browser"]);
  expect(away).toMatchObject({ code: 3, err: expect.stringContaining("reading how to log in at") });
});

test("a browser that cannot be opened is told, with the address", async () => {
  const ran = await office.remit(["login", "--timeout", "1s"], { env: { BROWSER: "/nowhere/browser" } });
  expect(ran.err).toContain("no browser could be opened here");
  expect(ran.err).toContain(`${office.issuer.url}/auth?`);
});

test("a person logs in with a browser elsewhere, by a code", async () => {
  office.issuer.setPerson("bo");
  let walked: Promise<unknown> = Promise.resolve();
  const when = (line: string) => {
    const [page] = /http:\/\/\S+user_code=\S+/.exec(line) ?? [];
    if (page !== undefined) walked = createUserAgent().follow(page, () => false);
  };
  const ran = await office.remit(["login", "--device", "--timeout", "30s"], { when });
  await walked;
  expect(ran).toMatchObject({ code: 0, err: expect.stringContaining("logged in as staff/bo") });
  expect((await whoami()).who.roles).toContain("policy-approver");
});

test("a login that ends is renewed once, by whichever command comes first, and ends when the issuer is away", async () => {
  office.issuer.setIdTokenSeconds(20);
  await office.logIn("ada");
  const file = join(office.configDir, "logins.json");
  const tokenOf = async () => JSON.parse(await readFile(file, "utf8")).logins.default.idToken as string;
  const first = await tokenOf();
  office.issuer.setIdTokenSeconds(600);
  const [one, other] = await Promise.all([whoami(), whoami()]);
  expect([one.code, other.code]).toEqual([0, 0]);
  const second = await tokenOf();
  expect(second).not.toBe(first);
  expect((await whoami()).code).toBe(0);
  expect(await tokenOf()).toBe(second);
});

test("a login that has ended while its issuer is away says so", async () => {
  office.issuer.setIdTokenSeconds(20);
  await office.logIn("ada");
  office.issuer.setAway(true);
  expect(await whoami()).toMatchObject({ code: 3, err: expect.stringContaining(office.issuer.url) });
});

test("an issuer that signs with a new key is believed, and tokens of the old one are not", async () => {
  await office.logIn("ada");
  office.issuer.rotateKeys();
  const ran = await office.logIn("bo", { args: ["--profile", "second"] });
  expect(ran.code).toBe(0);
  expect((await whoami({ REMIT_PROFILE: "second" })).who.proof.subject).toBe("bo");
  expect(await whoami()).toMatchObject({ code: 1, err: expect.stringContaining("token_invalid") });
});

test("deleting the binding ends a person's rights at once, and so does revoking the person", async () => {
  const { callers } = office.house.clients;
  await office.logIn("bo");
  await callers.deleteBindings({ names: ["policy-leads"] }, office.owner);
  expect((await whoami()).who.roles).toEqual(["viewer"]);
  const binding = { name: "policy-leads", issuer: "staff", group: "policy-leads", roles: ["policy-approver"] };
  await callers.putBinding({ binding }, office.owner);
  const listed = await callers.listCallers({}, office.owner);
  const bo = listed.callers.find(({ subject }) => subject === "bo");
  expect(bo).toMatchObject({ kind: "person", displayName: "Bo M", email: "bo@example.com", roles: [] });
  await callers.revokeKey({ callerId: bo?.id ?? "" }, office.owner);
  expect(await whoami()).toMatchObject({ code: 1, err: expect.stringContaining("was revoked") });
});

test("who is no owner sees who may call, and nobody's name or address", async () => {
  await office.logIn("ada");
  const ran = await office.remit(["keys", "list", "--json"]);
  expect(ran.out).toContain('"subject": "ada"');
  expect(ran.out).not.toMatch(/Ada L|ada@example\.com/);
  const env = { REMIT_API_KEY: office.house.ownerKey };
  const people = await office.remit(["keys", "list", "--kind", "person"], { env });
  expect(people.out).toMatch(/staff\/ada \(Ada L <ada@example\.com>\) +person +by bindings/);
  expect(people.out).not.toContain("cell-operator");
});

test("tokens go to the service that they were made for, and a file that others may read is refused", async () => {
  await office.logIn("ada");
  const elsewhere = await office.remit(["whoami"], { env: { REMIT_ADMIN_ADDRESS: "127.0.0.1:1" } });
  expect(elsewhere).toMatchObject({ code: 2, err: expect.stringContaining("has logged in at") });
  const unnamed = await office.remit(["whoami"], { env: { REMIT_PROFILE: "nobody" } });
  expect(unnamed).toMatchObject({ code: 2, err: expect.stringContaining("remit login --profile nobody") });
  const file = join(office.configDir, "logins.json");
  await chmod(file, 0o644);
  const shared = await office.remit(["whoami"]);
  await chmod(file, 0o600);
  expect(shared).toMatchObject({ code: 2, err: expect.stringContaining("chmod 600") });
});

test("logging out forgets the login and tells the issuer", async () => {
  await office.logIn("ada");
  const file = join(office.configDir, "logins.json");
  const { refreshToken } = JSON.parse(await readFile(file, "utf8")).logins.default;
  expect(await office.remit(["logout"])).toMatchObject({ code: 0, out: "logged out: default" });
  expect(await readFile(file, "utf8")).not.toContain(refreshToken);
  const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken, client_id: CLIENT });
  const answer = await fetch(`${office.issuer.url}/token`, { method: "POST", body });
  expect(await answer.json()).toMatchObject({ error: "invalid_grant" });
  expect(await office.remit(["logout"])).toMatchObject({ code: 0, out: "nobody was logged in" });
});
