import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, connectClients } from "../src/clients.ts";
import { readStarterPack } from "../src/starter/read-pack.ts";
import { type Announced, type Running, remit, serve, temporaryDirectory } from "./remit.ts";
import { starterCases } from "./support/starter-cases.ts";

const effects: Partial<Record<Effect, string>> = {
  [Effect.ALLOW]: "allow",
  [Effect.ESCALATE]: "escalate",
  [Effect.DENY]: "deny",
};

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };
let policies: string;
let env: Record<string, string>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  policies = join(directory.path, "policies");
  service = await serve(join(directory.path, "data"));
  const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
  env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
  // Its cases are all asked at once, of few sessions.
  expect(await remit(["tenants", "set", "--breakers", "off"], { env })).toMatchObject({ code: 0 });
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
});

test("the starter pack is written once, and applied as it is", async () => {
  expect(await remit(["policy", "init", policies])).toMatchObject({ code: 0 });
  const again = await remit(["policy", "init", policies, "--only", "mail"]);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("mail.yaml is there already") });
  const agent = "apiVersion: remit/v1\nkind: Agent\nmetadata: { name: starter, owner: ada }\nspec: {}\n";
  await writeFile(join(policies, "agent.yaml"), agent);
  expect(await remit(["apply", "-f", policies], { env })).toMatchObject({ code: 0 });
});

test("a server with the pack in force answers every case of its tests as they say, attacks first of all", async () => {
  const { grpcAddress: address, adminAddress, bootstrapKey: apiKey = "" } = service.at;
  const cases = (await readStarterPack()).flatMap((policy) => starterCases(policy));
  // A server knows the time by itself, how deep its sessions are, and what was granted.
  const told = cases.filter(({ facts }) => !facts.now && !facts.session?.depth && !facts.granted);
  expect(told.length).toBeGreaterThan(60);
  const bySession = new Map<string, Clients>();
  const clientsFor = async (labels: Record<string, string>) => {
    const key = JSON.stringify(labels);
    const known = bySession.get(key);
    if (known) return known;
    const { token } = await connectClients({ address, adminAddress, apiKey }).session.openSession({
      agent: "starter",
      onBehalfOf: { case: "principal", value: { id: "mia" } },
      labels,
    });
    const clients = connectClients({ address, adminAddress, apiKey, sessionToken: token });
    bySession.set(key, clients);
    return clients;
  };
  for (const [index, { name, facts, expect: expected }] of told.entries()) {
    const { decision } = await clientsFor(facts.session?.labels ?? {});
    const answer = await decision.decide({
      callId: `case-${index}`,
      tool: facts.call.tool,
      input: { case: "inputJson", value: Buffer.from(JSON.stringify(facts.call.input ?? {})) },
      context: { case: "contextJson", value: Buffer.from(JSON.stringify(facts.call.context ?? {})) },
    });
    expect(effects[answer.effect], name).toBe(expected.effect);
    if (expected.code !== undefined) expect(answer.reason?.code, name).toBe(expected.code);
  }
});
