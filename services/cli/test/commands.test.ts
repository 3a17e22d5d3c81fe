import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeKey, signToken } from "../../pdp/test/support/issuer.ts";
import { type Announced, fixtures, type Running, remit, serve, temporaryDirectory } from "./remit.ts";

const library = join(fixtures, "library");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };
let env: Record<string, string>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  service = await serve(directory.path);
  const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
  env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
});

async function json(...args: string[]) {
  const { code, stdout, stderr } = await remit([...args, "--json"], { env });
  if (stdout === "") throw new Error(`remit ${args.join(" ")} ended with ${code}: ${stderr}`);
  return { code, answer: JSON.parse(stdout) };
}

test("documents are tried, applied, and applied again without a change", async () => {
  const dry = await remit(["apply", "-f", library, "--dry-run"], { env });
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing was changed") });
  expect((await json("tools", "list")).answer).toEqual({});
  const applied = await remit(["apply", "-f", library], { env });
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringMatching(/policy +library +version 1, in force/) });
  const again = await remit(["apply", "-f", library], { env });
  expect(again.stdout).toMatch(/policy +library +version 1, unchanged/);
  expect((await json("tools", "list")).answer.tools).toHaveLength(2);
  expect((await json("agents", "list")).answer.agents).toMatchObject([{ name: "desk", status: "active" }]);
});

test("documents with errors are told here, before the service is asked", async () => {
  const { code, stderr } = await remit(["apply", "-f", join(fixtures, "broken", "policy.yaml")], { env });
  expect(code).toBe(1);
  expect(stderr).toContain("policy.yaml:8:15");
});

test("a session asks, reports, and asks why; the exit code is the answer", async () => {
  const opened = await json("session", "open", "desk", "--principal", "ada", "--run-id", "r1");
  env = { ...env, REMIT_SESSION: opened.answer.token };
  const allowed = await json("decide", "loans.list", "--call-id", "c1", "--input", '{"reader": "ada"}');
  expect(allowed).toMatchObject({ code: 0, answer: { effect: "EFFECT_ALLOW" } });
  const denied = await remit(["decide", "loans.list", "--input", '{"reader": "bo"}'], { env });
  expect(denied.code).toBe(1);
  expect(denied.stdout).toContain("This session serves another reader.");
  const told = await remit(["report", "--call-id", "c1", "--outcome", "succeeded"], { env });
  expect(told).toMatchObject({ code: 0, stdout: expect.stringContaining("reported succeeded") });
  const why = await remit(["why", allowed.answer.decisionId], { env });
  expect(why.code).toBe(0);
  for (const text of ["ALLOW  loans.list", "library@1/serve-the-reader", "ada (asserted by the caller)", "succeeded"]) {
    expect(why.stdout).toContain(text);
  }
  const explained = await json(
    "decide",
    "loans.renew",
    "--explain",
    "--input",
    '{"reader":"ada","book":"map","days":10}',
  );
  expect(explained).toMatchObject({ code: 1, answer: { verdict: { effect: "EFFECT_ESCALATE" } } });
  const asked = ["policy", "explain", "--tool", "loans.renew", "--input", '{"reader":"ada","book":"map","days":10}'];
  const shown = await remit(asked, { env });
  expect(shown).toMatchObject({ code: 1, stdout: expect.stringContaining("would escalate  loans.renew") });
  expect(shown.stdout).toContain('input.book == "map" → "map" == "map" → true');
});

test("a decision becomes a test, which fails once the policy says otherwise", async () => {
  const allowed = await json("decide", "loans.list", "--input", '{"reader": "ada"}');
  const held = await json("decide", "loans.renew", "--input", '{"reader": "ada", "book": "map", "days": 30}');
  const file = join(directory.path, "decided_test.yaml");
  for (const { answer } of [allowed, held]) {
    const added = await remit(["why", answer.decisionId, "--as-test", "--out", file], { env });
    expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining("a case was added") });
  }
  const printed = await remit(["why", allowed.answer.decisionId, "--as-test"], { env });
  expect(printed.stdout).toContain(`name: "decision-${allowed.answer.decisionId}"`);
  expect(await remit(["policy", "test", library, file])).toMatchObject({ code: 0, stdout: "ok: 2 cases in 1 file\n" });
  const changed = join(directory.path, "changed.yaml");
  const text = await readFile(join(library, "policy.yaml"), "utf8");
  await writeFile(
    changed,
    text.replace("quorum: 1", "quorum: 1, approvers: [ada]").replace('approvers: ["group:librarians"], ', ""),
  );
  const failed = await remit(["policy", "test", changed, file]);
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain("1 of 2 cases in 1 file failed");
  expect(failed.stdout).toContain('approval  - expected  [{"approvers":["group:librarians"]');
  const elsewhere = await remit(["why", allowed.answer.decisionId, "--out", file], { env });
  expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining("--as-test") });
});

test("a closed session is denied, and a renewed one goes on", async () => {
  const { answer } = await json("session", "open", "desk", "--principal", "bo", "--lifetime", "2h");
  const id = answer.session.id as string;
  const renewed = await json("session", "renew", id);
  const mine = { env: { ...env, REMIT_SESSION: renewed.answer.token as string } };
  expect((await remit(["decide", "loans.list", "--input", '{"reader":"bo"}'], mine)).code).toBe(0);
  expect((await remit(["session", "close", id], mine)).code).toBe(0);
  const after = await remit(["decide", "loans.list", "--input", '{"reader":"bo"}', "--json"], mine);
  expect(after.code).toBe(1);
  expect(JSON.parse(after.stdout)).toMatchObject({ effect: "EFFECT_DENY", reason: { code: "session_closed" } });
});

test("a session hands a part of its work on, and no more than it has", async () => {
  const file = join(directory.path, "page.yaml");
  await writeFile(file, "{apiVersion: remit/v1, kind: Agent, metadata: {name: page}, spec: {labels: {team: desk}}}");
  expect((await remit(["apply", "-f", file], { env })).code).toBe(0);
  const tool = ["--tool", "loans.*", "--max-depth", "1"];
  const { answer } = await json("session", "open", "desk", "--principal", "ada", ...tool);
  const mine = { env: { ...env, REMIT_SESSION: answer.token as string } };
  const asked = ["session", "delegate", "page", "--tool", "loans.list", "--bound", "loans.*:input.reader:equals=ada"];
  const child = await remit([...asked, "--json"], mine);
  expect(JSON.parse(child.stdout)).toMatchObject({ session: { agent: "page", depth: 1, parentId: answer.session.id } });
  const page = { env: { ...env, REMIT_SESSION: JSON.parse(child.stdout).token as string } };
  const decide = async (reader: string) => {
    const { stdout } = await remit(["decide", "loans.list", "--input", JSON.stringify({ reader }), "--json"], page);
    return JSON.parse(stdout);
  };
  expect((await decide("bo")).reason.code).toBe("scope_exceeded");
  const why = await remit(["why", (await decide("ada")).decisionId], { env });
  expect(why.stdout).toContain("page, delegated: desk → page");
  const more = await remit(["session", "delegate", "page", "--tool", "books.*"], mine);
  expect(more).toMatchObject({ code: 1, stderr: expect.stringContaining("tools[0] (books.*)") });
  const wrong = await remit(["session", "delegate", "page", "--tool", "loans.list", "--bound", "amount<5"], mine);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("--bound") });
});

test("a policy is published, put in force and listed", async () => {
  const file = join(library, "policy.yaml");
  const published = await remit(["policy", "publish", file], { env });
  expect(published).toMatchObject({ code: 0, stdout: expect.stringContaining("library@1") });
  const activated = await remit(["policy", "activate", "library@1"], { env });
  expect(activated).toMatchObject({ code: 0, stdout: expect.stringContaining("library@1 in force") });
  const { answer } = await json("policy", "list");
  expect(answer.versions).toMatchObject([{ policy: "library", version: 1, state: "active" }]);
  const unchanged = await remit(["policy", "diff", "library@1", file, "--fail-on", "change"], { env });
  expect(unchanged).toMatchObject({ code: 0, stdout: expect.stringContaining("the documents say the same") });
  const log = join(directory.path, "decisions.json");
  await writeFile(log, (await remit(["decisions", "list", "--json"], { env })).stdout);
  const compared = await remit(["policy", "diff", "@active", file, "--calls", log], { env });
  expect(compared.stdout).toMatch(/[1-9][0-9]* calls?: 0 wider, 0 narrower, 0 otherwise/);
  const missing = await remit(["policy", "activate", "library@9"], { env });
  expect(missing.code).toBe(1);
  const outrun = await remit(["policy", "activate", "library", "--expected-revision", "1"], { env });
  expect(outrun).toMatchObject({ code: 1, stderr: expect.stringContaining("revision_conflict") });
});

test("a caller that may name nobody opens a session for itself, and nobody opens one for two", async () => {
  const { answer } = await json("keys", "create", "lonely", "--agent", "desk");
  const theirs = { env: { ...env, REMIT_API_KEY: answer.key as string } };
  const named = await remit(["session", "open", "desk", "--principal", "ada"], theirs);
  expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining("leave the principal out") });
  const opened = await remit(["session", "open", "desk"], theirs);
  expect(opened).toMatchObject({ code: 0, stdout: expect.stringContaining(`desk for ${answer.caller.id}`) });
  const both = await remit(["session", "open", "desk", "--principal", "ada", "--subject-token", "-"], theirs);
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("on whose behalf?") });
});

test("a key speaks for its agents alone, may not administer, and ends when it is revoked", async () => {
  const { answer } = await json("keys", "create", "worker", "--agent", "desk", "--assert-principals");
  const theirs = { env: { ...env, REMIT_API_KEY: answer.key as string } };
  expect((await remit(["session", "open", "desk", "--principal", "cy"], theirs)).code).toBe(0);
  const forbidden = await remit(["keys", "list"], theirs);
  expect(forbidden).toMatchObject({ code: 1, stderr: expect.stringContaining("role_missing") });
  const listed = await remit(["keys", "list"], { env });
  expect(listed.stdout).toMatch(/worker .* active/);
  expect((await remit(["keys", "revoke", answer.caller.id], { env })).code).toBe(0);
  expect((await remit(["session", "open", "desk", "--principal", "cy"], theirs)).code).toBe(1);
  const refused = await remit(["audit", "--outcome", "role_missing"], { env });
  expect(refused.stdout).toMatch(/worker +CallerService\/ListCallers +role_missing/);
  const changed = await remit(["audit", "--changes", "--caller", answer.caller.id], { env });
  expect(changed.stdout).not.toContain("ListCallers");
});

test("a refused request shows the field, the limit and what to do", async () => {
  const input = '{"reader": "ada", "n": 12345678901234567890}';
  const { code, stderr } = await remit(["decide", "loans.list", "--input", input], { env });
  expect(code).toBe(2);
  expect(stderr).toContain("number_out_of_range");
  expect(stderr).toContain("field: ");
  expect(stderr).toContain("limit: ");
  expect(stderr).toContain("fix: ");
});

test("the cell's own keys are listed, rotated and rewrapped, and nothing is sealed or erased by one word", async () => {
  const before = await json("keys", "signing", "list");
  expect(before.answer.keys).toMatchObject([{ state: "signing" }]);
  const rotated = await remit(["keys", "signing", "rotate"], { env });
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringContaining("signs from now on") });
  const again = await remit(["keys", "signing", "rotate"], { env });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("rotation_too_soon") });
  expect((await json("keys", "rewrap")).answer).toEqual({ signingKeys: 0, dataKeys: 0 });
  expect((await remit(["keys", "seal"], { env })).code).toBe(2);
  expect((await remit(["keys", "seal", "--yes"], { env })).code).toBe(0);

  expect((await remit(["tenants", "create", "gone"], { env })).code).toBe(0);
  const asked = await remit(["tenants", "erase", "gone"], { env });
  expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining("--confirm gone") });
  const active = await remit(["tenants", "erase", "gone", "--confirm", "gone"], { env });
  expect(active).toMatchObject({ code: 1, stderr: expect.stringContaining("tenant_active") });
  expect((await remit(["tenants", "set", "gone", "--status", "closing"], { env })).code).toBe(0);
  const erased = await remit(["tenants", "erase", "gone", "--confirm", "gone"], { env });
  expect(erased).toMatchObject({ code: 0, stdout: expect.stringContaining("gone is erased") });
});

test("what is revoked and halted is listed, and lifted by its id or by what it is of", async () => {
  const because = ["--reason", "a key leaked"];
  const revoked = await remit(["revoke", "principal", "ada", ...because], { env });
  expect(revoked).toMatchObject({ code: 0, stderr: "" });
  expect(revoked.stdout).toMatch(/^revoked principal ada\nid +[0-9a-f-]{36}\nrevision +\d+\n$/);
  const unknown = await remit(["revoke", "tool", "rockets.launch", ...because], { env });
  expect(unknown).toMatchObject({ code: 0, stderr: expect.stringContaining("nothing of that name is registered") });
  const engaged = await remit(["halt", "engage", "--labels", "b=2,a=1", ...because], { env });
  expect(engaged.stdout).toContain("halted a=1,b=2");
  const { answer } = await json("halt", "engage", "--tenant", ...because);
  expect(answer).toMatchObject({ created: true, revocation: { subject: { tenant: true }, reason: "a key leaked" } });
  const listed = await remit(["revocations"], { env });
  expect(listed.stdout).toMatch(/principal +ada +owner +\S+ +living +a key leaked/);

  const mended = ["--reason", "mended"];
  const lifted = await remit(["lift", "principal", "ada", ...mended], { env });
  expect(lifted.stdout).toMatch(/^lifted principal ada\nrevision/);
  expect((await remit(["halt", "release", "--labels", "a=1", "--labels", "b=2", ...mended], { env })).code).toBe(0);
  expect((await remit(["halt", "release", answer.revocation.id, ...mended], { env })).stdout).toContain(
    "released every",
  );
  const all = await remit(["halt", "list", "--all"], { env });
  expect(all.stdout).toMatch(/halt +everything .* lifted \S+ by owner +a key leaked/);
  expect(await remit(["halt", "engage", ...because], { env })).toMatchObject({ code: 2 });
  // Nothing is there of that name or id: the answer is no, as of `issuers delete`.
  const nothing: readonly string[][] = [
    ["lift", "principal", "ada", ...mended],
    ["lift", "0199f7c2-0000-7000-8000-000000000000", ...mended],
    ["halt", "release", "--labels", "a=1", ...mended],
    ["issuers", "delete", "nobody"],
  ];
  for (const args of nothing) expect([args[0], (await remit(args, { env })).code]).toEqual([args[0], 1]);
});

test("breakers are listed and reset, where there are any", async () => {
  expect(await remit(["breakers", "list"], { env })).toMatchObject({ code: 0, stderr: "no breaker is open\n" });
  const { answer } = await json("breakers", "list", "--all");
  expect(answer).toEqual({});
  const nobodys = "00000000-0000-7000-8000-000000000000";
  const unknown = await remit(["breakers", "reset", nobodys, "--reason", "x"], { env });
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no such session") });
  expect(await remit(["breakers", "reset", nobodys], { env })).toMatchObject({ code: 2 });
  const because = ["--reason", "the sale"];
  const none = await remit(["breakers", "reset", "--agent", "nobody", ...because], { env });
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no such agent") });
  expect(await remit(["breakers", "reset", ...because], { env })).toMatchObject({ code: 2 });
  expect(await remit(["breakers", "reset", nobodys, "--agent", "nobody", ...because], { env })).toMatchObject({
    code: 2,
  });
});

test("tenants are made, shown, bounded and suspended, and their owners keep to their own", async () => {
  const made = await remit(["tenants", "create", "acme", "--quota", "sessions-open=5"], { env });
  expect(made.code).toBe(0);
  expect(made.stderr).toContain("it is not shown again");
  const acme = { ...env, REMIT_API_KEY: made.stdout.trim() };
  const own = await remit(["tenants", "show"], { env: acme });
  expect(own.stdout).toMatch(
    /tenant +acme\nstatus +active\nmode +enforce\nbreakers +enforce[^\n]*\nspending +never of what no budget covers\npeople +1[^\n]*\nquota +sessions-open=5/,
  );
  const refused = await remit(["tenants", "list"], { env: acme });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("cell-operator");

  const watched = await remit(["tenants", "set", "--mode", "observe", "--observe", "team=x,env=prod"], { env: acme });
  expect(watched.stdout).toMatch(
    /mode +observe\nbreakers[^\n]*\nspending[^\n]*\npeople +1[^\n]*\nobserved +agents with (team=x,env=prod|env=prod,team=x)/,
  );
  const suspended = await remit(["tenants", "set", "acme", "--status", "suspended", "--quota-none"], { env });
  expect(suspended.stdout).toMatch(/status +suspended/);
  expect(suspended.stdout).not.toContain("quota");
  const { tenants } = (await json("tenants", "list")).answer;
  const listed = tenants.filter(({ id }: { id: string }) => ["acme", "default"].includes(id));
  expect(listed).toMatchObject([
    { id: "acme", status: "TENANT_STATUS_SUSPENDED", mode: "TENANT_MODE_OBSERVE" },
    { id: "default", status: "TENANT_STATUS_ACTIVE", mode: "TENANT_MODE_ENFORCE" },
  ]);
  expect((await remit(["tenants", "set", "acme"], { env })).code).toBe(2);
  expect((await remit(["tenants", "set", "acme", "--quota", "fun=1"], { env })).stderr).toContain(
    "there is no quota fun",
  );
});

test("an issuer is trusted, bound, listed and trusted no more; a token file speaks in the place of a key", async () => {
  const key = await makeKey();
  const at = (name: string) => join(directory.path, name);
  await writeFile(at("keys.json"), JSON.stringify({ keys: [key.publicJwk] }));
  const owner = { REMIT_ADDRESS: env.REMIT_ADDRESS ?? "", REMIT_ADMIN_ADDRESS: env.REMIT_ADMIN_ADDRESS ?? "" };
  const issuer = ["--issuer", "https://id.example", "--audience", "remit:default", "--jwks", `@${at("keys.json")}`];
  const put = await json("issuers", "put", "idp", "--profile", "oidc", "--use", "workloads", ...issuer);
  expect(put).toMatchObject({ code: 0, answer: { change: "CHANGE_CREATED", issuer: { tokenSecondsMax: 86400 } } });
  await json("bindings", "put", "lookers", "--issuer", "idp", "--subject", "looker-*", "--role", "viewer");
  expect((await remit(["issuers", "list"], { env })).stdout).toMatch(/idp +oidc +workloads +https:\/\/id.example/);
  expect((await remit(["bindings", "list"], { env })).stdout).toMatch(/lookers +idp +looker-\*/);
  const token = await signToken(key, { iss: "https://id.example", aud: "remit:default", sub: "looker-1" });
  await writeFile(at("token"), `${token}\n`);
  const looker = { ...owner, REMIT_TOKEN_FILE: at("token") };
  expect(await remit(["agents", "list"], { env: looker })).toMatchObject({ code: 0 });
  expect((await json("issuers", "delete", "idp")).code).toBe(0);
  expect(await remit(["agents", "list"], { env: looker })).toMatchObject({
    code: expect.not.toBeOneOf([0]),
    stderr: expect.stringContaining("no issuer is trusted"),
  });
});
