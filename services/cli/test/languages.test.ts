import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Announced, type Running, remit, serve, temporaryDirectory } from "./remit.ts";

const example = fileURLToPath(new URL("../examples/languages/", import.meta.url));
const tools = join(example, "tools.yaml");
const clerk = `apiVersion: remit/v1
kind: Agent
metadata: { name: clerk, owner: finance }
spec: { labels: { team: finance } }
`;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };
let env: Record<string, string>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "remit-languages-"));
  await writeFile(join(folder, "clerk.yaml"), clerk);
  directory = await temporaryDirectory();
  service = await serve(directory.path);
  const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
  env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function decide(tool: string, input: object): Promise<string> {
  const { stdout, stderr } = await remit(["decide", tool, "--input", JSON.stringify(input), "--json"], { env });
  if (stdout === "") throw new Error(stderr);
  const { effect, reason, rules = [], policyRules = rules } = JSON.parse(stdout);
  return [effect, reason?.code, ...policyRules.map(({ rule }: { rule: string }) => rule)].join(" ");
}

const calls: [string, object][] = [
  ["payments.transfer", { amount: 500.01, country: "DE", memo: "rent" }],
  ["payments.transfer", { amount: 40.25, country: "FR", memo: "rent" }],
  ["mail.send", { to: "ada@acme.com" }],
];

const decided: Record<string, string[]> = {};

test.each(["native", "rego", "cedar"])("the %s policy is published, put in force and asked", async (language) => {
  const policy = join(example, language);
  const applied = await remit(["apply", "-f", tools, "-f", policy, "-f", join(folder, "clerk.yaml")], { env });
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringMatching(/policy +payments +version \d, in force/) });
  const opened = await remit(["session", "open", "clerk", "--principal", "ada", "--run-id", language, "--json"], {
    env,
  });
  env = { ...env, REMIT_SESSION: JSON.parse(opened.stdout).token };
  decided[language] = [];
  for (const [tool, input] of calls) decided[language].push(await decide(tool, input));
  expect(decided[language].map((text) => text.split(" ")[0])).toEqual([
    "EFFECT_ESCALATE",
    "EFFECT_DENY",
    "EFFECT_TRANSFORM",
  ]);
});

test("lists tell what a version is written in", async () => {
  const { stdout } = await remit(["policy", "list"], { env });
  expect(stdout.match(/ (superseded|active) +\S+/g)?.map((text) => text.trim().split(/ +/))).toEqual([
    ["superseded", "6"],
    ["superseded", "Rego"],
    ["active", "Cedar"],
  ]);
  expect((await remit(["policy", "show", "payments"], { env })).stdout).toContain("payments@3  active  in Cedar");
  expect((await remit(["policy", "show", "payments@1"], { env })).stdout).toContain("superseded  6 rules");
});

test("a decision is the same in every language, and explained", async () => {
  expect(decided.rego).toEqual(decided.native);
  expect(decided.cedar).toEqual(decided.native);
  const asked = ["policy", "explain", "--tool", "mail.send", "--input", '{"to":"ada"}'];
  expect((await remit(asked, { env })).stdout).toContain("copy-the-archive");
});

test("a policy that does not compile is told at its file, line and column, and what was in force stays", async () => {
  const document = `apiVersion: remit/v1
kind: Policy
metadata: { name: payments }
spec:
  language: cedar
  match: { tools: [mail.send] }
  sourceFile: p.cedar
  schemaFile: p.cedarschema
`;
  await writeFile(join(folder, "p.yaml"), document);
  await writeFile(
    join(folder, "p.cedar"),
    '// first\n@id("a") @effect("escalat") permit (principal, action, resource);\n',
  );
  await writeFile(
    join(folder, "p.cedarschema"),
    'entity Agent;\nentity Tool;\naction "mail.send" appliesTo { principal: Agent, resource: Tool, context: { input: { to: String } } };\n',
  );
  const { code, stderr } = await remit(["policy", "publish", tools, join(folder, "p.yaml")], { env });
  expect(code).toBe(1);
  expect(stderr).toContain(`${join(folder, "p.cedar")}:2:1: error: a: a permit with @effect("escalat")`);
  expect(stderr).toContain("did you mean: escalate");
  expect(await decide("mail.send", { to: "bo" })).toContain("EFFECT_TRANSFORM");
});
