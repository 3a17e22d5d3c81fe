import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import {
  AgentService,
  BudgetService,
  CallerService,
  LedgerService,
  PolicyService,
  ToolService,
} from "@remit/proto/admin";
import { DecisionService } from "@remit/proto/decision";
import { KeyService } from "@remit/proto/keys";
import { RevocationService } from "@remit/proto/revocation";
import { SessionService } from "@remit/proto/session";
import { TenantService } from "@remit/proto/tenant";
import type { Served } from "./serve.ts";

export interface Clients {
  readonly session: Client<typeof SessionService>;
  readonly decision: Client<typeof DecisionService>;
  readonly key: Client<typeof KeyService>;
  readonly agent: Client<typeof AgentService>;
  readonly tool: Client<typeof ToolService>;
  readonly policy: Client<typeof PolicyService>;
  readonly budget: Client<typeof BudgetService>;
  readonly tenant: Client<typeof TenantService>;
  readonly caller: Client<typeof CallerService>;
  readonly ledger: Client<typeof LedgerService>;
  readonly revocation: Client<typeof RevocationService>;
}

/** Compiling a large set of policies takes its time; nothing that is measured goes through these clients. */
const timeoutMs = 600_000;

/** Clients of the services that set up and look. */
export function clientsOf(served: Served, key: string): Clients {
  const credentials: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  const transport = (port: number) =>
    createConnectTransport({
      baseUrl: `http://127.0.0.1:${port}`,
      httpVersion: "1.1",
      interceptors: [credentials],
      defaultTimeoutMs: timeoutMs,
    });
  const admin = transport(served.adminPort);
  return {
    session: createClient(SessionService, transport(served.httpPort)),
    decision: createClient(DecisionService, transport(served.httpPort)),
    key: createClient(KeyService, admin),
    agent: createClient(AgentService, admin),
    tool: createClient(ToolService, admin),
    policy: createClient(PolicyService, admin),
    budget: createClient(BudgetService, admin),
    tenant: createClient(TenantService, admin),
    caller: createClient(CallerService, admin),
    ledger: createClient(LedgerService, admin),
    revocation: createClient(RevocationService, admin),
  };
}
