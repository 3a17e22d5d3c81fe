import { createClient } from "@connectrpc/connect";
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
import { RolloutService } from "@remit/proto/rollout";
import { SessionService } from "@remit/proto/session";

/** Where a service listens: host:port. */
export interface Addresses {
  readonly grpcAddress: string;
  readonly adminAddress: string;
}

/** Clients of the services that every build has, and of what the builds before schema 10 do not serve. */
export function clientsAt({ grpcAddress, adminAddress }: Addresses) {
  const data = createGrpcTransport({ baseUrl: `http://${grpcAddress}` });
  const admin = createConnectTransport({ baseUrl: `http://${adminAddress}`, httpVersion: "1.1" });
  return {
    decisions: createClient(DecisionService, data),
    sessions: createClient(SessionService, data),
    agents: createClient(AgentService, admin),
    tools: createClient(ToolService, admin),
    policies: createClient(PolicyService, admin),
    rollouts: createClient(RolloutService, admin),
    budgets: createClient(BudgetService, admin),
    groups: createClient(GroupService, admin),
    callers: createClient(CallerService, admin),
    ledger: createClient(LedgerService, admin),
  };
}

export type Clients = ReturnType<typeof clientsAt>;

/** The headers that ask as a caller, and for a session when its token is given. */
export const speaks = (key: string, token?: string): Record<string, string> => ({
  authorization: `Bearer ${key}`,
  ...(token !== undefined && { "remit-session": token }),
});
