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
import { callerRpcs } from "./admin/callers.ts";
import { declarationRpcs } from "./admin/declarations.ts";
import type { AdminDesk } from "./admin/desk.ts";
import { documentRpcs } from "./admin/documents.ts";
import { createGate, grantedOnly } from "./admin/gate.ts";
import { keyRpcs } from "./admin/keys.ts";
import { ledgerRpcs } from "./admin/ledger.ts";
import { loginRpcs } from "./admin/login.ts";
import { policyRpcs } from "./admin/policies.ts";
import { revocationRpcs } from "./admin/revocations.ts";
import { rolloutRpcs } from "./admin/rollouts.ts";
import { tenantRpcs } from "./admin/tenants.ts";
import { decideRpc } from "./decide.ts";
import { decideBatchRpc } from "./decide-batch.ts";
import type { Desk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { explainRpc } from "./explain.ts";
import { type Served, serve } from "./lanes/served.ts";
import { reportRpc } from "./report.ts";
import type { SessionRpcs } from "./session-rpcs.ts";

export { createAdminDesk } from "./admin/desk.ts";
export { createDesk } from "./desk.ts";
export { logCauses } from "./errors.ts";
export { createExchange } from "./exchange.ts";
export { sessionRpcs } from "./session-rpcs.ts";

/** The services of the data plane: both lanes serve them. */
export function dataServices(desk: Desk, exchange: Exchange, sessions: SessionRpcs): Served[] {
  const services = [
    serve(DecisionService, {
      decide: decideRpc(desk),
      decideBatch: decideBatchRpc(desk),
      report: reportRpc(desk),
      explain: explainRpc(desk),
      exchange: exchange.rpc,
    }),
    serve(SessionService, { ...sessions }),
  ];
  return services.map(grantedOnly(desk.identities));
}

/** The services of the admin plane: they have a listener of their own. */
export function adminServices(desk: AdminDesk): Served[] {
  const { putAgent, listAgents, putTool, listTools, getTool } = documentRpcs(desk);
  const { deleteAgents, deleteTools, ...declared } = declarationRpcs(desk);
  const { putBudget, listBudgets, deleteBudgets, putGroup, listGroups, deleteGroups } = declared;
  const services = [
    serve(TenantService, { ...tenantRpcs(desk) }),
    serve(AgentService, { putAgent, listAgents, deleteAgents }),
    serve(ToolService, { putTool, listTools, getTool, deleteTools }),
    serve(BudgetService, { putBudget, listBudgets, deleteBudgets }),
    serve(GroupService, { putGroup, listGroups, deleteGroups }),
    serve(PolicyService, { ...policyRpcs(desk) }),
    serve(RolloutService, { ...rolloutRpcs(desk) }),
    serve(RevocationService, { ...revocationRpcs(desk) }),
    serve(KeyService, { ...keyRpcs(desk) }),
    serve(CallerService, { ...callerRpcs(desk) }),
    serve(LedgerService, { ...ledgerRpcs(desk) }),
    serve(LoginService, { ...loginRpcs(desk, desk.uptime) }),
  ];
  return services.map(createGate(desk));
}
