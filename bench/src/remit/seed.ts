import { type Problem, Problem_Severity } from "@remit/proto/common";
import { BreakerDefaults } from "@remit/proto/tenant";
import type { Credentials } from "../run/lane-target.ts";
import { type Clients, clientsOf } from "./clients.ts";
import type { Served } from "./serve.ts";

export interface SeedDocuments {
  readonly tools: readonly object[];
  readonly agent: object;
  readonly policies: readonly object[];
  readonly budgets?: readonly object[];
}

/** Registers tools, agent and budgets and puts the policies in force, all of them in one revision. Throws what the service objects to. */
export async function seed(clients: Clients, documents: SeedDocuments): Promise<void> {
  // A load is a flood: what is measured is what the service can do, not when it stops an agent.
  await clients.tenant.updateTenant({ breakers: BreakerDefaults.OFF });
  const source = (document: object, i: number) => ({ file: `${i}.json`, text: JSON.stringify(document) });
  for (const [i, tool] of documents.tools.entries())
    refuse((await clients.tool.putTool({ document: source(tool, i) })).problems);
  refuse((await clients.agent.putAgent({ document: source(documents.agent, 0) })).problems);
  for (const [i, budget] of (documents.budgets ?? []).entries())
    refuse((await clients.budget.putBudget({ document: source(budget, i) })).problems);
  const files = documents.policies.map(source);
  const { versions, problems } = await clients.policy.publishPolicies({ files });
  refuse(problems);
  await clients.policy.activatePolicies({ choices: versions.map(({ policy, version }) => ({ policy, version })) });
}

function refuse(problems: readonly Problem[]): void {
  const error = problems.find(({ severity }) => severity === Problem_Severity.ERROR);
  if (error !== undefined) throw new Error(`${error.file}:${error.line}: ${error.message}\n${error.excerpt}`);
}

/** What an agent's runtime has: a key that is bound to the agent and can do nothing else, and sessions it opened. */
export async function openSessions(served: Served, agent: string, count: number): Promise<Credentials> {
  const { key } = await clientsOf(served, served.ownerKey).caller.createKey({
    name: "bench",
    agents: [agent],
    mayAssertPrincipals: true,
  });
  const { session } = clientsOf(served, key);
  const sessionTokens: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const onBehalfOf = { case: "principal", value: { id: `person-${i}` } } as const;
    const { token } = await session.openSession({ agent, onBehalfOf, purpose: "measuring" });
    sessionTokens.push(token);
  }
  return { callerKey: key, sessionTokens };
}
