import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
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
import { DecisionService } from "@remit/proto/decision";
import { KeyService } from "@remit/proto/keys";
import { LoginService } from "@remit/proto/login";
import { RevocationService } from "@remit/proto/revocation";
import { RolloutService } from "@remit/proto/rollout";
import { SessionService } from "@remit/proto/session";
import { TenantService } from "@remit/proto/tenant";
import { usage } from "./stop.ts";

const TIMEOUT_MS = 30_000;

/** One client a service. */
export interface Clients {
  readonly decision: Client<typeof DecisionService>;
  readonly session: Client<typeof SessionService>;
  readonly tenant: Client<typeof TenantService>;
  readonly agent: Client<typeof AgentService>;
  readonly tool: Client<typeof ToolService>;
  readonly policy: Client<typeof PolicyService>;
  readonly rollout: Client<typeof RolloutService>;
  readonly revocation: Client<typeof RevocationService>;
  readonly budget: Client<typeof BudgetService>;
  readonly group: Client<typeof GroupService>;
  readonly caller: Client<typeof CallerService>;
  readonly keys: Client<typeof KeyService>;
  readonly ledger: Client<typeof LedgerService>;
  readonly login: Client<typeof LoginService>;
}

export interface Target {
  /** host:port or a URL of the gRPC lane: what the SDK's REMIT_ADDRESS is, too. */
  readonly address: string;
  /** host:port or a URL of the admin services. */
  readonly adminAddress: string;
  readonly apiKey: string;
  readonly sessionToken?: string | undefined;
}

/** The base URL of an address as people write it; `variable` is named when it is wrong. */
export function baseUrl(address: string, variable: string): string {
  const text = /^https?:\/\//.test(address) ? address : `http://${address}`;
  if (!URL.canParse(text)) {
    throw usage(`${variable} is not an address: ${JSON.stringify(address)}`, `set ${variable} to host:port or a URL`);
  }
  return text.replace(/\/+$/, "");
}

/** Clients of one service. Idle connections do not keep the process alive. */
export function connectClients(target: Target): Clients {
  const credentials: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${target.apiKey}`);
    if (target.sessionToken !== undefined) request.header.set("remit-session", target.sessionToken);
    return next(request);
  };
  const common = { interceptors: [credentials], defaultTimeoutMs: TIMEOUT_MS };
  const data = createGrpcTransport({ ...common, baseUrl: baseUrl(target.address, "REMIT_ADDRESS") });
  const admin = createConnectTransport({
    ...common,
    baseUrl: baseUrl(target.adminAddress, "REMIT_ADMIN_ADDRESS"),
    httpVersion: "1.1",
  });
  return {
    decision: createClient(DecisionService, data),
    session: createClient(SessionService, data),
    tenant: createClient(TenantService, admin),
    agent: createClient(AgentService, admin),
    tool: createClient(ToolService, admin),
    policy: createClient(PolicyService, admin),
    rollout: createClient(RolloutService, admin),
    revocation: createClient(RevocationService, admin),
    budget: createClient(BudgetService, admin),
    group: createClient(GroupService, admin),
    caller: createClient(CallerService, admin),
    keys: createClient(KeyService, admin),
    ledger: createClient(LedgerService, admin),
    login: createClient(LoginService, admin),
  };
}

/** The target that the environment names. */
export function targetFrom(env: Readonly<Record<string, string | undefined>>, sessionToken?: string): Target {
  const apiKey = env.REMIT_API_KEY ?? "";
  if (apiKey === "") {
    throw usage(
      "no API key is set",
      "export REMIT_API_KEY=rmt_...; the first `remit serve` prints one, `remit keys create` makes others",
    );
  }
  // SDKs know what to do with several; one command needs one.
  const [address = ""] = (env.REMIT_ADDRESS ?? "").split(",");
  return {
    address: address.trim() || "127.0.0.1:7081",
    adminAddress: env.REMIT_ADMIN_ADDRESS || "127.0.0.1:7082",
    apiKey,
    sessionToken: sessionToken ?? (env.REMIT_SESSION || undefined),
  };
}
