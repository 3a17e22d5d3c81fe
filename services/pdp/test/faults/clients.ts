import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { credentials, Client as GrpcClient, Metadata } from "@grpc/grpc-js";
import { AgentService, PolicyService, ToolService } from "@remit/proto/admin";
import { DecideRequestSchema, type DecideResponse, DecideResponseSchema } from "@remit/proto/decision";
import { SessionService } from "@remit/proto/session";
import { BreakerDefaults, TenantService } from "@remit/proto/tenant";
import { limits } from "../../src/foundation/limits.ts";
import type { Addresses } from "./fleet.ts";

/** How the id of a call begins that the store refuses: its input is too long to stand in its entry. */
export const POISON = "poison";

const AGENT = `apiVersion: remit/v1
kind: Agent
metadata: { name: clerk }
spec: { ceiling: { tools: ["*"] } }
`;
const TOOL = `apiVersion: remit/v1
kind: Tool
metadata: { name: notes.write }
spec: { risk: write }
`;
const POLICY = `apiVersion: remit/v1
kind: Policy
metadata: { name: notes }
spec:
  rules:
    - id: short
      match: { tools: [notes.write] }
      when: size(input.text) < 100
      effect: allow
`;

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

/** Registers what the load asks about, and puts its policy in force. */
export async function furnishFleet({ adminAddress }: Addresses, ownerKey: string): Promise<void> {
  const admin = createConnectTransport({ baseUrl: `http://${adminAddress}`, httpVersion: "1.1" });
  const by = bearer(ownerKey);
  // A load repeats itself.
  await createClient(TenantService, admin).updateTenant({ breakers: BreakerDefaults.OFF }, by);
  await createClient(AgentService, admin).putAgent({ document: { file: "agent.yaml", text: AGENT } }, by);
  await createClient(ToolService, admin).putTool({ document: { file: "tool.yaml", text: TOOL } }, by);
  const policies = createClient(PolicyService, admin);
  const published = await policies.publishPolicies({ files: [{ file: "notes.yaml", text: POLICY }] }, by);
  if (published.versions.length !== 1) throw new Error(JSON.stringify(published.problems.map((one) => one.message)));
  await policies.activatePolicies({ choices: [{ policy: "notes" }] }, by);
}

/** Opens sessions and answers the headers that ask for each. */
export async function openSessions({ httpAddress }: Addresses, ownerKey: string, count: number): Promise<Metadata[]> {
  const data = createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" });
  const sessions = createClient(SessionService, data);
  const opened = Array.from({ length: count }, async () => {
    const { token } = await sessions.openSession({ agent: "clerk" }, bearer(ownerKey));
    return Metadata.fromHttp2Headers({ ...bearer(ownerKey).headers, "remit-session": token });
  });
  return Promise.all(opened);
}

/** What a caller was told of a decision. */
export interface Answer {
  readonly decisionId: string;
  readonly epoch: bigint;
  readonly n: bigint;
}

/** Asks one member about a call of a session. Rejects with a gRPC error. */
export type AskMember = (callId: string, session: Metadata, timeoutMs: number) => Promise<Answer>;

// Impatient, so that a member that serves again is asked again.
const CHANNEL = { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 200 };

/** Over gRPC, by the client that runtimes use: what it calls UNAVAILABLE is what they call so. */
export function askOver({ grpcAddress }: Addresses): AskMember {
  const client = new GrpcClient(grpcAddress, credentials.createInsecure(), CHANNEL);
  const serialise = (callId: string) => {
    const text = callId.startsWith(POISON) ? callId.padEnd(limits.inlineInputBytesMax + 1, ".") : callId;
    const input = { case: "inputObject", value: { text } } as const;
    return Buffer.from(
      toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId, tool: "notes.write", input })),
    );
  };
  const deserialise = (bytes: Buffer) => fromBinary(DecideResponseSchema, bytes);
  return async (callId, session, timeoutMs) => {
    const { promise, resolve, reject } = Promise.withResolvers<DecideResponse>();
    const done = (error: Error | null, answer?: DecideResponse) => (answer ? resolve(answer) : reject(error));
    const options = { deadline: Date.now() + timeoutMs };
    const path = "/remit.v1.DecisionService/Decide";
    client.makeUnaryRequest(path, serialise, deserialise, callId, session, options, done);
    const { decisionId, record } = await promise;
    return { decisionId, epoch: record?.epoch ?? 0n, n: record?.n ?? 0n };
  };
}
