import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AgentService, PolicyService, ToolService } from "@remit/proto/admin";
import { RevocationService, type RevocationSubjectSchema } from "@remit/proto/revocation";
import { BreakerDefaults, TenantService } from "@remit/proto/tenant";
import type { Addresses } from "./fleet.ts";
import { type Bar, ruleOf, type State, SUSPENDED, TOOLS } from "./timeline.ts";
import { bearer } from "./told.ts";

/** What the administrator does next: the state after it, and how to ask for it. */
export interface Step {
  readonly name: string;
  readonly after: State;
  /** Asks one member's admin door; answers the digest of what is in force, where that is told. */
  make(at: Addresses): Promise<string | undefined>;
}

const VERSIONS = 6;
export const AGENTS = ["clerk-0", "clerk-1", "clerk-2"] as const;
export const WORKERS = ["worker-0", "worker-1", "worker-2"] as const;

const document = (kind: string, name: string, spec: string) => ({
  file: `${name}.yaml`,
  text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
});
const agentOf = (name: string, narrowed: boolean) =>
  document("Agent", name, `{ labels: { of: ${name} }, ceiling: { tools: ["${narrowed ? "load.a" : "load.*"}"] } }`);
const toolOf = (name: string, suspended: boolean) =>
  document("Tool", name, `{ risk: write, status: ${suspended ? "suspended" : "active"} }`);

function policyOf(version: number) {
  const rules = TOOLS.map((tool) => {
    const effect = (version % 2 === 1) === (tool === "load.a") ? "allow" : "deny";
    const message = effect === "deny" ? ", message: No." : "";
    return `{ id: ${ruleOf(version, tool)}, match: { tools: [${tool}] }, effect: ${effect}${message} }`;
  });
  return document("Policy", "house", `{ rules: [${rules.join(", ")}] }`);
}

function clientsAt({ adminAddress }: Addresses) {
  const transport = createConnectTransport({
    ...{ baseUrl: `http://${adminAddress}`, httpVersion: "1.1", defaultTimeoutMs: 10_000 },
  });
  return {
    agents: createClient(AgentService, transport),
    tools: createClient(ToolService, transport),
    policies: createClient(PolicyService, transport),
    revocations: createClient(RevocationService, transport),
    tenants: createClient(TenantService, transport),
  };
}

/** Agents, tools, and every version of the policy, the first of them in force. */
export async function furnishHouse(at: Addresses, ownerKey: string): Promise<Step> {
  const { agents, tools, policies, tenants } = clientsAt(at);
  const by = bearer(ownerKey);
  // A load repeats itself.
  await tenants.updateTenant({ breakers: BreakerDefaults.OFF }, by);
  for (const name of [...AGENTS, ...WORKERS]) await agents.putAgent({ document: agentOf(name, false) }, by);
  for (const name of TOOLS) await tools.putTool({ document: toolOf(name, false) }, by);
  for (let version = 1; version <= VERSIONS; version++) {
    const { versions, problems } = await policies.publishPolicies({ files: [policyOf(version)] }, by);
    if (versions[0]?.version !== version) throw new Error(JSON.stringify(problems.map(({ message }) => message)));
  }
  const make = async () =>
    (await policies.activatePolicies({ choices: [{ policy: "house", version: 1 }] }, by)).policyDigest;
  return { name: "at first", after: { version: 1, bars: new Set() }, make };
}

type Subject = NonNullable<MessageInitShape<typeof RevocationSubjectSchema>["subject"]>;

function subjectOf(bar: Bar): Subject {
  const [kind = "", value = ""] = bar.split(/:(.*)/s);
  switch (kind) {
    case "agent":
    case "principal":
    case "tool":
    case "session":
      return { case: kind, value };
    case "labels":
      return { case: "labels", value: { matchLabels: { of: value } } };
    default:
      return { case: "tenant", value: true };
  }
}

/** Plans one step after another, by a seed; `bars` are what it may put in the way of calls. */
export function createAdministrator(ownerKey: string, random: () => number, bars: readonly Bar[]) {
  const by = bearer(ownerKey);
  const everInForce = new Set([1]);
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;

  const bar = async (at: Addresses, name: Bar): Promise<undefined> => {
    const { agents, tools, revocations } = clientsAt(at);
    const [kind, value = ""] = name.split(/:(.*)/s);
    if (kind === "ceiling") await agents.putAgent({ document: agentOf(value, true) }, by);
    else if (name.startsWith(SUSPENDED)) await tools.putTool({ document: toolOf(value, true) }, by);
    else {
      await revocations.revoke({ subject: { subject: subjectOf(name) }, reason: "a trial" }, by);
    }
  };
  const unbar = async (at: Addresses, name: Bar): Promise<undefined> => {
    const { agents, tools, revocations } = clientsAt(at);
    const [kind, value = ""] = name.split(/:(.*)/s);
    if (kind === "ceiling") await agents.putAgent({ document: agentOf(value, false) }, by);
    else if (name.startsWith(SUSPENDED)) await tools.putTool({ document: toolOf(value, false) }, by);
    else {
      // Told again what it is called, whatever became of the first answer.
      const { revocation } = await revocations.revoke({ subject: { subject: subjectOf(name) }, reason: "a trial" }, by);
      await revocations.lift({ revocationId: revocation?.id ?? "", reason: "over" }, by);
    }
  };
  const putInForce = (now: State): Step => {
    const version = pick(Array.from({ length: VERSIONS }, (_, at) => at + 1).filter((one) => one !== now.version));
    const choices = [{ policy: "house", version }];
    const back = now.version !== null && everInForce.has(version) && random() < 0.4;
    everInForce.add(version);
    const make = async (at: Addresses) => {
      const { policies } = clientsAt(at);
      const answer = await (back
        ? policies.rollbackPolicies({ choices }, by)
        : policies.activatePolicies({ choices }, by));
      return answer.policyDigest;
    };
    return { name: back ? "rolled back" : "activated", after: { ...now, version }, make };
  };

  /** The next change of what is in force now. */
  return (now: State): Step => {
    const living = [...now.bars].filter((name) => !name.startsWith("session:"));
    if (living.length > 0 && random() < (now.bars.has("tenant") ? 0.8 : 0.2 * living.length)) {
      const name = now.bars.has("tenant") ? "tenant" : pick(living);
      const after = { ...now, bars: new Set([...now.bars].filter((one) => one !== name)) };
      return { name: `taken back: ${name.split(":")[0]}`, after, make: (at) => unbar(at, name) };
    }
    if (now.version === null || random() < 0.5) return putInForce(now);
    if (random() < 0.15) {
      const make = async (at: Addresses) =>
        (await clientsAt(at).policies.deactivatePolicies({ policies: ["house"] }, by)).policyDigest;
      return { name: "deactivated", after: { ...now, version: null }, make };
    }
    const free = bars.filter((name) => !now.bars.has(name));
    const kinds = [...new Set(free.map((name) => name.split(":")[0]))];
    const kind = pick(kinds);
    const name = pick(free.filter((one) => one.split(":")[0] === kind));
    const after = { ...now, bars: new Set([...now.bars, name]) };
    return { name: `${kind}`, after, make: (at) => bar(at, name) };
  };
}
