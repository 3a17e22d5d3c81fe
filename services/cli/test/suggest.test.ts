import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compile, evaluate, type JsonObject, parseDocuments } from "@remit/engine";
import { Effect, Mode } from "@remit/proto/common";
import type { DecideResponse } from "@remit/proto/decision";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectClients } from "../src/clients.ts";
import { fakeIo } from "../src/fake-io.ts";
import { run } from "../src/run.ts";
import { factsOf } from "../src/suggest/facts.ts";
import { readLog } from "../src/suggest/read-log.ts";
import { readTrace } from "../src/trace/trace-file.ts";
import type { TracedCall } from "../src/trace/trace-line.ts";
import { type Announced, fixtures, type Running, serve, temporaryDirectory } from "./remit.ts";

const airline = join(import.meta.dirname, "../../../../shared/data/airline-agent-calls.jsonl");
const airlinePolicy = join(import.meta.dirname, "../examples/airline/airline.yaml");

async function readCalls(path: string): Promise<TracedCall[]> {
  if (!existsSync(path)) throw new Error(`the log of real calls is not there: ${path}`);
  const calls: TracedCall[] = [];
  for await (const call of readTrace(path)) {
    if ("message" in call) throw new Error(`line ${call.line}: ${call.message}`);
    calls.push(call);
  }
  return calls;
}

/** Runs the command line in this process. */
async function remit(args: readonly string[], env: Record<string, string> = {}) {
  const io = fakeIo({ env });
  const code = await run(io, args);
  const [stdout, stderr] = [io.outLines.join("\n"), io.errLines.join("\n")];
  const json = () => {
    if (stdout === "") throw new Error(`remit ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  };
  return { code, stdout, stderr, json };
}

describe("a tenant in front of the airline's desk", () => {
  const BATCH = 64;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let service: Running & { readonly at: Announced };
  let env: Record<string, string>;
  let calls: TracedCall[];
  let token: string;

  beforeAll(async () => {
    calls = await readCalls(airline);
    directory = await temporaryDirectory();
    service = await serve(join(directory.path, "data"));
    const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
    env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
    const agent = join(directory.path, "agent.yaml");
    await writeFile(agent, "{apiVersion: remit/v1, kind: Agent, metadata: {name: desk}, spec: {labels: {team: air}}}");
    expect((await remit(["apply", "-f", agent], env)).code).toBe(0);
    token = (await remit(["session", "open", "desk", "--principal", "mia", "--json"], env)).json().token;
  });

  afterAll(async () => {
    service.child.kill("SIGTERM");
    await service.ended;
    await directory[Symbol.asyncDispose]();
  });

  /** Asks for every call of the log, 64 at a time. */
  async function play(round: string): Promise<DecideResponse[]> {
    const { grpcAddress: address, adminAddress, bootstrapKey: apiKey = "" } = service.at;
    const { decision } = connectClients({ address, adminAddress, apiKey, sessionToken: token });
    const answers: DecideResponse[] = [];
    for (let at = 0; at < calls.length; at += BATCH) {
      const items = calls.slice(at, at + BATCH).map(({ line, tool, input, context }) => ({
        callId: `${round}-${line}`,
        tool,
        input: { case: "inputJson" as const, value: Buffer.from(JSON.stringify(input)) },
        context: { case: "contextJson" as const, value: Buffer.from(JSON.stringify(context)) },
      }));
      const answer = await decision.decideBatch({ items });
      for (const { outcome } of answer.items) if (outcome.case === "decision") answers.push(outcome.value);
    }
    expect(answers).toHaveLength(calls.length);
    return answers;
  }

  test("stops no call while it is observed; what was seen becomes a policy; enforced, it stops none of them", async () => {
    const drafts = join(directory.path, "drafts");
    // A whole log in a moment, in one session: a flood, and that is not what is asked here.
    expect((await remit(["tenants", "set", "--mode", "observe", "--breakers", "off"], env)).code).toBe(0);
    const observed = await play("observed");
    expect(observed.filter(({ effect }) => effect !== Effect.ALLOW)).toEqual([]);
    // Nothing is registered and no policy is there: enforced, every call would have been stopped.
    expect(new Set(observed.map(({ mode, would }) => `${mode} ${would?.reason?.code}`))).toEqual(
      new Set([`${Mode.OBSERVED} tool_unknown`]),
    );

    const session = { ...env, REMIT_SESSION: token };
    const stray = ["decide", "rockets.launch"];
    const seen = await remit([...stray, "--json"], session);
    expect(seen).toMatchObject({ code: 0 });
    expect(seen.json()).toMatchObject({ effect: "EFFECT_ALLOW", mode: "MODE_OBSERVED" });
    const said = "enforcement would deny (tool_unknown): The tool is not registered.";
    expect((await remit(stray, session)).stdout).toContain(said);
    expect((await remit([...stray, "--explain"], session)).stdout).toContain(said);
    expect((await remit(["why", seen.json().decisionId], env)).stdout).toContain(said);

    const listed = await remit(["decisions", "list", "--would", "deny", "--tool", "list_all_airports", "--json"], env);
    expect(listed.json()).toHaveLength(2);
    const shown = await remit(["decisions", "list", "--agent", "desk", "--limit", "3"], env);
    expect(shown.stdout).toMatch(/allow, would deny +\w+ +desk +tool_unknown/);
    expect(shown.stdout).toContain("the newest 3; --limit shows more");

    const suggested = await remit(["policy", "suggest", "--since", "1h", "--out", drafts, "--json"], env);
    expect(suggested.code).toBe(0);
    const summary = suggested.json();
    // The log, and the two stray calls.
    expect(summary).toMatchObject({ calls: 1166, left_out: {}, restrained: {} });
    expect(summary.unregistered).toHaveLength(15);
    expect((await readdir(drafts)).sort()).toEqual(["suggested-desk.yaml", "suggested-desk_test.yaml", "tools.yaml"]);
    expect(await remit(["policy", "lint", "--strict", drafts])).toMatchObject({ code: 0 });
    const tested = await remit(["policy", "test", drafts, "--json"]);
    expect(tested.json()).toMatchObject({ failed: [], passed: expect.any(Number) });
    expect(tested.json().passed).toBeGreaterThan(100);

    expect((await remit(["apply", "-f", drafts], env)).code).toBe(0);
    expect((await remit(["tenants", "set", "--mode", "enforce"], env)).code).toBe(0);
    const enforced = await play("enforced");
    expect(enforced.filter(({ effect }) => effect !== Effect.ALLOW)).toEqual([]);
    expect(new Set(enforced.map(({ mode }) => mode))).toEqual(new Set([Mode.ENFORCED]));

    const large = ["decide", "send_certificate", "--input", '{"user_id": "mia_li_3668", "amount": 100000}'];
    expect(await remit(large, session)).toMatchObject({ code: 1 });

    // Drafted again from what is enforced now, with the tools as they are registered: the same rules.
    const redrafts = join(directory.path, "redrafts");
    const again = await remit(["policy", "suggest", "--since", "1h", "--out", redrafts, "--json"], env);
    expect(again.json()).toMatchObject({ calls: 2 * 1164 + 2, unregistered: [], left_out: { stopped: 1 } });
    const ids = (from: typeof summary) => from.policies[0].rules.map(({ id }: { id: string }) => id);
    expect(ids(again.json())).toEqual(ids(summary));
    const unchanged = await remit(["apply", "-f", join(redrafts, "tools.yaml")], env);
    expect(unchanged.stdout.match(/^tool +\S+ +unchanged$/gm)).toHaveLength(15);
  });

  test("files that are there are kept unless they are to be replaced", async () => {
    const out = join(directory.path, "kept");
    const args = ["policy", "suggest", "--from", join(fixtures, "library", "calls.jsonl"), "--out", out];
    expect((await remit(args)).code).toBe(0);
    expect(await remit(args)).toMatchObject({ code: 2, stderr: expect.stringContaining("is there already") });
    expect((await remit([...args, "--force"])).code).toBe(0);
  });
});

/** How many calls of the airline's log its own policy and a draft stop together. */
async function stoppedBeside(draft: string): Promise<number> {
  const { calls, principalOf } = await readLog(fakeIo(), airline, "context.user.id");
  const files = [draft, await readFile(airlinePolicy, "utf8")].map((text, at) => ({ file: `${at}.yaml`, text }));
  const { documents } = parseDocuments(files);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled } = compile({ policies, tools: documents.tools });
  if (!compiled) throw new Error("the draft does not compile beside the airline's policy");
  const stopped = calls.filter(({ run: of, tool, input, context }) => {
    const agent = { id: "airline-agent", labels: {} };
    const facts = factsOf({
      tool,
      agent,
      input: input as JsonObject,
      context: context as JsonObject,
      principal: principalOf(of),
      redacted: [],
    });
    return evaluate(compiled, facts).effect !== "allow";
  });
  return stopped.length;
}

test("calls that rules in force deny are left out if asked for; beside those rules the draft stops no other", async () => {
  await using directory = await temporaryDirectory();
  const log = ["--from", airline, "--policy", airlinePolicy, "--principal", "context.user.id"];
  const out = join(directory.path, "drafts");
  const args = ["policy", "suggest", ...log, "--exclude-denied", "--out", out];
  const { code, stdout } = await remit(args);
  expect(code).toBe(0);
  expect(stdout).toContain("1097 calls in a log");
  expect(stdout).toContain("67 calls left out: they would be denied by a rule in force");
  const draft = await readFile(join(out, "suggested-airline-agent.yaml"), "utf8");
  expect(draft).toContain("from 1097 calls");
  expect(await stoppedBeside(draft)).toBe(67);
  expect(await remit(["policy", "test", out])).toMatchObject({ code: 0 });
  const all = await remit(["policy", "suggest", ...log, "--json"]);
  expect(all.json()).toMatchObject({ calls: 1164, restrained: { deny: 67 }, unregistered: [] });
});

test("a log that is none, and a log of nothing that can be drafted from, say so", async () => {
  await using directory = await temporaryDirectory();
  const broken = await remit(["policy", "suggest", "--from", join(fixtures, "broken", "calls.jsonl")]);
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining("calls.jsonl:") });
  const odd = join(directory.path, "odd.jsonl");
  await writeFile(odd, '{"run": "a", "step": 0, "tool": "a tool", "input": {}}\n');
  const nothing = await remit(["policy", "suggest", "--from", odd]);
  expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining("1 call left out: they name a tool") });
  expect(await remit(["policy", "suggest", "--from", join(directory.path, "none")])).toMatchObject({ code: 2 });
});
