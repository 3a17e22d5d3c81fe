import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const dependencies = ["@bufbuild/protobuf", "@grpc/grpc-js"];

/** A project of somebody who installed the SDK: our two packages as npm packs them, their dependencies beside them. */
let project: string;

async function unpack(workspace: string, name: string): Promise<void> {
  const { stdout } = await run("npm", ["pack", "--silent", "./dist", "--pack-destination", project], {
    cwd: join(root, workspace),
  });
  await run("tar", ["-xzf", stdout.trim()], { cwd: project });
  await rename(join(project, "package"), join(project, "node_modules", name));
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "remit-sdk-"));
  await mkdir(join(project, "node_modules/@remit"), { recursive: true });
  await run("npm", ["run", "--silent", "build", "-w", "proto", "-w", "sdk-node"], { cwd: root });
  await unpack("proto", "@remit/proto");
  await unpack("sdk-node", "@remit/sdk");
  for (const name of dependencies) {
    await mkdir(dirname(join(project, "node_modules", name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(project, "node_modules", name));
  }
  await writeFile(join(project, "package.json"), '{"type":"module"}');
});

afterAll(() => rm(project, { recursive: true }));

async function sources(directory: string, ending: string): Promise<string> {
  const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith(ending));
  return (await Promise.all(files.map((file) => readFile(join(directory, file), "utf8")))).join("\n");
}

test("the packages are JavaScript and declarations, and import nothing that they do not depend on", async () => {
  for (const [name, allowed] of [
    ["@remit/proto", ["@bufbuild/protobuf"]],
    ["@remit/sdk", [...dependencies, "@remit/proto"]],
  ] as const) {
    const directory = join(project, "node_modules", name);
    const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
    expect(Object.keys(manifest.dependencies).sort()).toEqual([...allowed].sort());
    expect(manifest).toMatchObject({ license: "Apache-2.0", type: "module", engines: { node: ">=22.12" } });
    expect(await readdir(directory)).toEqual(expect.arrayContaining(["LICENSE", "README.md"]));
    const code = await sources(directory, ".js");
    const imported = [...code.matchAll(/^(?:import|export) .*?from "([^"]+)";$/gm)].map(([, from = ""]) => from);
    const packages = new Set(imported.filter((from) => !from.startsWith(".") && !from.startsWith("node:")));
    for (const from of packages) {
      expect(builtinModules).not.toContain(from);
      expect(
        allowed.some((dependency) => from === dependency || from.startsWith(`${dependency}/`)),
        from,
      ).toBe(true);
    }
    expect(imported.filter((from) => from.endsWith(".ts"))).toEqual([]);
  }
});

test("it is imported, and says at boot that nothing answers", async () => {
  const program = `
    import { createClient, RemitError } from "@remit/sdk";
    const remit = createClient({ address: "127.0.0.1:1", key: "rmt_none" });
    const failure = await remit.ready({ timeoutMs: 100 }).catch((error) => error);
    console.log(failure instanceof RemitError, failure.message);
    await remit.close();
  `;
  await writeFile(join(project, "program.js"), program);
  const { stdout } = await run(process.execPath, ["program.js"], { cwd: project });
  expect(stdout).toMatch(/^true .*127\.0\.0\.1:1/);
});

test("its declarations are read by a strict compiler that looks into libraries, too", async () => {
  const program = `
    import { createClient, type Decision, type Session } from "@remit/sdk";
    export async function pay(session: Session): Promise<string> {
      const remit = createClient({ address: "127.0.0.1:7081", key: "k" });
      const transfer = remit.tool("payments.transfer", async (input: { amount: number }) => String(input.amount));
      const decision: Decision = await remit.decide(session, { tool: "payments.transfer", input: { amount: 1 } });
      // @ts-expect-error: an effect is one of five words
      if (decision.effect === "perhaps") throw new Error("no such effect");
      return await transfer(session, { amount: 1 });
    }
  `;
  await writeFile(join(project, "program.ts"), program);
  const compilerOptions = {
    target: "es2024",
    lib: ["es2024", "esnext.disposable"],
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const tsc = join(root, "node_modules/.bin/tsc");
  const { stdout } = await run(tsc, ["-p", "."], { cwd: project }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe("");
});
