import { randomBytes } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AgentService, PolicyService, ToolService } from "@remit/proto/admin";
import { DecisionService } from "@remit/proto/decision";
import { RevocationService } from "@remit/proto/revocation";
import { SessionService } from "@remit/proto/session";
import { loadConfig, startPdp } from "../../../services/pdp/src/index.ts";
import type { EmbeddedPostgres } from "../../../services/pdp/src/stores/embedded.ts";

const callers = 16;

const document = (kind: string, name: string, spec: string) => ({
  file: `${name}.yaml`,
  text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
});

export interface Acknowledged {
  readonly beside: string;
  readonly revocations: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Decisions a second that were made meanwhile. */
  readonly decisionsPerSecond: number;
}

function configOf(databaseUrl: string) {
  const address = "127.0.0.1:0";
  const addresses = { httpAddress: address, grpcAddress: address, adminAddress: address, metricsAddress: address };
  const keyEncryptionKey = randomBytes(32).toString("base64");
  const loaded = loadConfig({
    env: {},
    overrides: { mode: "development", databaseUrl, keyEncryptionKey, ...addresses },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

/** How long a revocation takes until it is acknowledged, in a service of one replica: quiet, and beside decisions. */
export async function measureAcknowledged({ runtimeUrl }: EmbeddedPostgres, times: number): Promise<Acknowledged[]> {
  const pdp = await startPdp({ config: configOf(runtimeUrl), breakers: false });
  try {
    const admin = createConnectTransport({ baseUrl: `http://${pdp.adminAddress}`, httpVersion: "1.1" });
    const data = createConnectTransport({ baseUrl: `http://${pdp.httpAddress}`, httpVersion: "1.1" });
    const authorization = `Bearer ${pdp.bootstrapKey}`;
    const by = { headers: { authorization } };
    const policies = createClient(PolicyService, admin);
    await createClient(AgentService, admin).putAgent({ document: document("Agent", "clerk", "{}") }, by);
    await createClient(ToolService, admin).putTool({ document: document("Tool", "pay", "{ risk: write }") }, by);
    const rules = "{ rules: [{ id: all, match: { tools: [pay] }, effect: allow }] }";
    await policies.publishPolicies({ files: [document("Policy", "house", rules)] }, by);
    await policies.activatePolicies({ choices: [{ policy: "house" }] }, by);
    const { token } = await createClient(SessionService, data).openSession({ agent: "clerk" }, by);
    const decisions = createClient(DecisionService, data);
    const revocations = createClient(RevocationService, admin);

    let over = false;
    let decided = 0;
    const caller = async (): Promise<void> => {
      const headers = { authorization, "remit-session": token };
      const input = { case: "inputJson", value: Buffer.from("{}") } as const;
      while (!over) {
        await decisions.decide({ callId: `c-${Math.random()}`, tool: "pay", input }, { headers });
        decided++;
      }
    };
    const measure = async (beside: string, load: number): Promise<Acknowledged> => {
      over = false;
      const callersAtWork = Array.from({ length: load }, caller);
      const [took, before, beganMs]: [number[], number, number] = [[], decided, performance.now()];
      for (let at = 0; at < times; at++) {
        const subject = { subject: { case: "principal", value: `p-${at}` } } as const;
        const sentMs = performance.now();
        const { revocation } = await revocations.revoke({ subject, reason: "bench" }, by);
        took.push(performance.now() - sentMs);
        await revocations.lift({ revocationId: revocation?.id ?? "", reason: "bench" }, by);
      }
      const seconds = (performance.now() - beganMs) / 1000;
      over = true;
      await Promise.all(callersAtWork);
      const sorted = took.sort((a, b) => a - b);
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
      const perSecond = (decided - before) / seconds;
      return { beside, revocations: times, p50Ms: at(0.5), p99Ms: at(0.99), decisionsPerSecond: perSecond };
    };
    return [await measure("nothing", 0), await measure(`${callers} callers`, callers)];
  } finally {
    await pdp.close();
  }
}
