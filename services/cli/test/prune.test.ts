import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeIo } from "../src/fake-io.ts";
import { run } from "../src/run.ts";
import { type Announced, type Running, serve, temporaryDirectory } from "./remit.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };
let env: Record<string, string>;
let files: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  service = await serve(directory.path);
  const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
  env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
  files = join(directory.path, "documents");
  await mkdir(files);
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
});

/** The command in this process: it is asked often. */
async function remit(args: readonly string[]) {
  const io = fakeIo({ env });
  const code = await run(io, args);
  return { code, stdout: `${io.outLines.join("\n")}\n`, stderr: io.errLines.join("\n") };
}

const write = (kind: string, name: string, spec: string) =>
  writeFile(
    join(files, `${kind}-${name}.yaml`),
    `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
  );
const take = (kind: string, name: string) => rm(join(files, `${kind}-${name}.yaml`));
const apply = (...more: string[]) => remit(["apply", "-f", files, ...more]);

/** What the service knows, by name. */
async function known(): Promise<string[]> {
  const list = async (...args: string[]) => JSON.parse((await remit([...args, "list", "--json"])).stdout);
  const [tools, agents, budgets, groups, policies] = await Promise.all([
    ...["tools", "agents", "budgets", "groups"].map((kind) => list(kind)),
    list("policy"),
  ]);
  const inForce = (policies.versions ?? []).filter(({ state }: { state: string }) => state === "active");
  return [
    ...[tools.tools, agents.agents, budgets.budgets, groups.groups].flatMap((one) => one ?? []),
    ...inForce.map(({ policy }: { policy: string }) => ({ name: policy })),
  ]
    .map(({ name }) => name)
    .sort();
}

test("what the files do not have any more goes, once it was shown, and only of the kinds that they have", async () => {
  await write("Tool", "pay", "{ risk: write }");
  await write("Tool", "old", "{ risk: read }");
  await write("Agent", "clerk", "{}");
  await write("Budget", "refunds", '{ unit: EUR, limit: "50", window: day }');
  await write("Group", "leads", "{ members: [ada] }");
  await write("Policy", "payments", "{ rules: [{ id: a, match: { tools: [pay] }, effect: allow }] }");
  await write("Policy", "reads", "{ rules: [{ id: a, match: { tools: [old] }, effect: allow }] }");
  const dry = await apply("--dry-run", "--prune");
  expect(dry.stdout).toMatch(/policy +reads +would be published/);
  expect(dry.stdout).toMatch(/budget +refunds +would be added/);
  const first = await apply("--prune");
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/policy +reads +version 1, in force/) });
  const everything = ["clerk", "leads", "old", "pay", "payments", "reads", "refunds"];
  expect(await known()).toEqual(everything);

  await take("Tool", "old");
  await take("Policy", "reads");
  await take("Group", "leads");
  await write("Tool", "pay", "{ risk: destructive }");
  const asked = await apply("--prune");
  expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining("--yes") });
  expect(asked.stdout).toMatch(/tool +old +would be removed\npolicy +reads +would be taken out of force\n/);
  const shown = await apply("--prune", "--dry-run");
  expect(shown.stdout).toMatch(/tool +pay +would be changed/);
  expect(shown.stdout).toMatch(/agent +clerk +unchanged/);
  expect(shown.stdout).toMatch(/tool +old +would be removed/);
  expect(await known()).toEqual(everything);

  expect((await apply("--prune", "--yes")).stdout).toMatch(/policy +reads +taken out of force/);
  // No file is of the kind Group, so groups are left alone until that is asked for.
  expect(await known()).toEqual(["clerk", "leads", "pay", "payments", "refunds"]);
  await apply("--prune-all", "--yes");
  expect(await known()).toEqual(["clerk", "pay", "payments", "refunds"]);
});

test("an empty directory, broken files and policies that are not put in force prune nothing", async () => {
  const before = await known();
  const empty = join(directory.path, "empty");
  await mkdir(empty);
  const prune = (path: string, ...more: string[]) => remit(["apply", "-f", path, "--prune-all", "--yes", ...more]);
  expect(await prune(empty)).toMatchObject({ code: 2, stderr: expect.stringContaining("names no .yaml") });
  await writeFile(join(empty, "nothing.yaml"), "# nothing yet\n");
  expect(await prune(empty)).toMatchObject({ code: 2, stderr: expect.stringContaining("nothing is pruned") });
  await writeFile(join(empty, "broken.yaml"), "kind: Tool\nmetadata: { name: pay }\n");
  expect((await prune(empty)).code).toBe(1);
  expect((await prune(files, "--no-activate")).code).toBe(2);
  expect(await known()).toEqual(before);
});

test("what stands on a later page of a list is listed and pruned like what stands on the first", async () => {
  // Each is longer than half a page.
  const members = Array.from({ length: 1_000 }, (_, at) => `m${at}-${"x".repeat(150)}`);
  for (const name of ["page-a", "page-b", "page-c"]) {
    await write("Group", name, `{ members: [${members.join(", ")}] }`);
  }
  expect((await apply()).code).toBe(0);
  const groups = async () => {
    const { stdout } = await remit(["groups", "list", "--json"]);
    return JSON.parse(stdout).groups.map(({ name }: { name: string }) => name);
  };
  expect(await groups()).toEqual(["page-a", "page-b", "page-c"]);
  await take("Group", "page-c");
  expect((await apply("--prune", "--yes")).stdout).toMatch(/group +page-c +removed/);
  expect(await groups()).toEqual(["page-a", "page-b"]);
});
