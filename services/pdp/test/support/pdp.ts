import { randomBytes } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import {
  AgentService,
  BudgetService,
  CallerService,
  GroupService,
  LedgerService,
  PolicyService,
  ToolService,
} from "@remit/proto/admin";
import { BreakerService } from "@remit/proto/breaker";
import { ChangeService } from "@remit/proto/change";
import { type ErrorDetail, ErrorDetailSchema } from "@remit/proto/common";
import { DecisionService } from "@remit/proto/decision";
import { KeyService } from "@remit/proto/keys";
import { LoginService } from "@remit/proto/login";
import { RevocationService } from "@remit/proto/revocation";
import { RolloutService } from "@remit/proto/rollout";
import { type OpenSessionRequestSchema, SessionService } from "@remit/proto/session";
import { TenantService } from "@remit/proto/tenant";
import { type Config, loadConfig, type PdpOptions, type RunningPdp, startPdp } from "../../src/index.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

/** Documents that the door tests ask about: one tool a risk, rules of every effect. */
const houseDocuments = {
  agent: `apiVersion: remit/v1
kind: Agent
metadata: { name: clerk, owner: ada@example.com }
spec: { labels: { team: finance }, ceiling: { tools: ["*"] } }
`,
  tools: [
    `apiVersion: remit/v1
kind: Tool
metadata: { name: invoices.read }
spec: { risk: read }
`,
    `apiVersion: remit/v1
kind: Tool
metadata: { name: payments.transfer }
spec:
  risk: write
  inputSchema:
    type: object
    required: [amount]
    additionalProperties: false
    properties:
      amount: { type: number, minimum: 0 }
      to: { type: string }
      memo: { type: string }
`,
    `apiVersion: remit/v1
kind: Tool
metadata: { name: fs.write_file }
spec: { risk: write }
`,
    `apiVersion: remit/v1
kind: Tool
metadata: { name: records.delete }
spec: { risk: destructive }
`,
  ],
  policy: `apiVersion: remit/v1
kind: Policy
metadata: { name: house, owner: finance }
spec:
  rules:
    - id: reads
      match: { tools: [invoices.read] }
      effect: allow
      constraints: { timeout: 10s, maxOutputBytes: 65536 }
    - id: small-transfers
      match: { tools: [payments.transfer] }
      when: input.amount <= 500
      effect: allow
    - id: large-transfers
      match: { tools: [payments.transfer] }
      when: input.amount > 500 && input.amount <= 10000
      effect: escalate
      approval: { approvers: ["group:finance-leads"], quorum: 2, expires: 15m }
    - id: never-that-much
      match: { tools: [payments.transfer] }
      when: input.amount > 10000
      effect: deny
      message: Transfers above 10,000 are made by people.
    - id: say-why
      match: { tools: [payments.transfer] }
      when: input.amount == 13
      unless: present(answers.memo)
      effect: clarify
      questions: [{ id: memo, type: string, ask: What is this payment for? }]
    - id: writes
      match: { tools: [fs.write_file] }
      effect: allow
    - id: keep-writes-in-the-workspace
      match: { tools: [fs.write_file] }
      unless: path.within(input.path, "/workspace")
      effect: transform
      set: { path: { expr: 'path.join("/workspace/sandbox", path.base(input.path))' } }
`,
} as const;

/** A running service on a database of its own. */
export interface House extends AsyncDisposable {
  readonly pdp: RunningPdp;
  readonly database: TestDatabase;
  readonly config: Config;
  readonly ownerKey: string;
  readonly clients: ReturnType<typeof clientsOf>;
  close(): Promise<void>;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** What a client shows of itself and believes of others when it speaks TLS, PEM. */
export interface ClientTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Typed clients of every service over Connect, and over gRPC where the name says so. */
export function clientsOf(pdp: RunningPdp, tls?: ClientTls, httpVersion: "1.1" | "2" = "1.1") {
  const scheme = tls ? "https" : "http";
  const common = { ...(tls && { nodeOptions: { ...tls } }) };
  const data = createConnectTransport({ ...common, baseUrl: `${scheme}://${pdp.httpAddress}`, httpVersion } as never);
  const grpc = createGrpcTransport({ ...common, baseUrl: `${scheme}://${pdp.grpcAddress}` });
  const admin = createConnectTransport({ ...common, baseUrl: `${scheme}://${pdp.adminAddress}`, httpVersion } as never);
  return {
    decisions: createClient(DecisionService, data),
    decisionsByGrpc: createClient(DecisionService, grpc),
    sessions: createClient(SessionService, data),
    sessionsByGrpc: createClient(SessionService, grpc),
    tenants: createClient(TenantService, admin),
    agents: createClient(AgentService, admin),
    tools: createClient(ToolService, admin),
    policies: createClient(PolicyService, admin),
    revocations: createClient(RevocationService, admin),
    breakers: createClient(BreakerService, admin),
    rollouts: createClient(RolloutService, admin),
    budgets: createClient(BudgetService, admin),
    groups: createClient(GroupService, admin),
    callers: createClient(CallerService, admin),
    ledger: createClient(LedgerService, admin),
    keys: createClient(KeyService, admin),
    login: createClient(LoginService, admin),
    changes: createClient(ChangeService, admin),
  };
}

/** The configuration of a test's service: ports that the system chooses, a database of its own, nothing on disk. */
export function testConfig(databaseUrl: string, overrides: Record<string, string | number> = {}) {
  const address = "127.0.0.1:0";
  const loaded = loadConfig({
    env: {},
    overrides: {
      mode: "development",
      databaseUrl,
      keyEncryptionKey: randomBytes(32).toString("base64"),
      httpAddress: address,
      grpcAddress: address,
      adminAddress: address,
      metricsAddress: address,
      shutdownGraceMs: 2_000,
      ...overrides,
    },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

/** Starts a service on a new database, or on the one given. */
export async function startHouse(
  options: Partial<PdpOptions> & {
    readonly database?: TestDatabase;
    readonly databaseUrl?: string;
    readonly overrides?: Record<string, string | number>;
    readonly ownerKey?: string;
    readonly tls?: ClientTls;
  } = {},
): Promise<House> {
  const database = options.database ?? (await createTestDatabase());
  const config = options.config ?? testConfig(options.databaseUrl ?? database.runtimeUrl, options.overrides);
  // Tests ask for the same things in one session again and again: breakers stop them where that is what is tested.
  const { clock, log, breakers = false } = options;
  const pdp = await startPdp({ config, breakers, ...(clock && { clock }), ...(log && { log }) });
  const close = async () => {
    await pdp.close();
    if (!options.database) await database.drop();
  };
  const ownerKey = options.ownerKey ?? pdp.bootstrapKey ?? "";
  return { pdp, database, config, ownerKey, clients: clientsOf(pdp, options.tls), close, [Symbol.asyncDispose]: close };
}

/** Registers the agent, the tools and the policy of `houseDocuments`, and puts the policy in force. */
export async function furnish({ clients, ownerKey }: House): Promise<void> {
  const { agents, tools, policies } = clients;
  const headers = bearer(ownerKey);
  const put = [agents.putAgent({ document: { file: "agent.yaml", text: houseDocuments.agent } }, { headers })];
  for (const [at, text] of houseDocuments.tools.entries()) {
    put.push(tools.putTool({ document: { file: `tool-${at}.yaml`, text } }, { headers }) as never);
  }
  for (const answer of await Promise.all(put)) {
    if (answer.problems.length > 0) throw new Error(JSON.stringify(answer.problems.map(({ message }) => message)));
  }
  const files = [{ file: "house.yaml", text: houseDocuments.policy }];
  const { versions, problems } = await policies.publishPolicies({ files }, { headers });
  if (versions.length !== 1) throw new Error(JSON.stringify(problems.map(({ message }) => message)));
  await policies.activatePolicies({ choices: [{ policy: "house" }] }, { headers });
}

/** A session of the agent `clerk`, and the headers that ask for it. */
export async function openSession(
  { clients, ownerKey }: House,
  opening: Partial<MessageInitShape<typeof OpenSessionRequestSchema>> = {},
  key = ownerKey,
) {
  const { sessions } = clients;
  const { session, token } = await sessions.openSession({ agent: "clerk", ...opening } as never, {
    headers: bearer(key),
  });
  if (!session) throw new Error("no session was answered");
  return { session, token, headers: { ...bearer(key), "remit-session": token } };
}

/** Decides a call that the house allows as {@link furnish} leaves it. */
export function readInvoice({ clients }: House, headers: Record<string, string>, callId: string) {
  return clients.decisions.decide(
    {
      callId,
      tool: "invoices.read",
      input: { case: "inputObject", value: { id: "INV-7" } },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );
}

/** How an RPC failed: its code, its message and our detail of it. */
export async function failure(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; detail: ErrorDetail }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  if (!error) throw new Error("the call did not fail");
  const detail = error.findDetails(ErrorDetailSchema)[0] ?? create(ErrorDetailSchema);
  return { code: Code[error.code] ?? "", message: error.rawMessage, detail };
}
