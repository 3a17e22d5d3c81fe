import {
  AgentService,
  BudgetService,
  CallerService,
  GroupService,
  PolicyService,
  ToolService,
} from "@remit/proto/admin";
import { RevocationService } from "@remit/proto/revocation";
import { RolloutService } from "@remit/proto/rollout";
import { TenantService } from "@remit/proto/tenant";
import { type Served, serve } from "../lanes/served.ts";
import { budgetRpcs } from "./budgets.ts";
import { callerRpcs } from "./callers.ts";
import { declarationRpcs } from "./declarations.ts";
import type { AdminDesk } from "./desk.ts";
import { documentRpcs } from "./documents.ts";
import { holdRpcs } from "./holds.ts";
import { policyRpcs } from "./policies.ts";
import { revocationRpcs } from "./revocations.ts";
import { rolloutRpcs } from "./rollouts.ts";
import { tenantRpcs } from "./tenants.ts";
import { trustRpcs } from "./trust.ts";

/** The services whose RPCs may widen authority: what several people have to agree to is proposed as one of these. */
export function authorityServices(desk: AdminDesk): Served[] {
  const { putAgent, listAgents, putTool, listTools, getTool } = documentRpcs(desk);
  const { deleteAgents, deleteTools, ...declared } = declarationRpcs(desk);
  const { putBudget, deleteBudgets, putGroup, listGroups, deleteGroups } = declared;
  return [
    serve(TenantService, { ...tenantRpcs(desk) }),
    serve(AgentService, { putAgent, listAgents, deleteAgents }),
    serve(ToolService, { putTool, listTools, getTool, deleteTools }),
    serve(BudgetService, { putBudget, deleteBudgets, ...budgetRpcs(desk), ...holdRpcs(desk) }),
    serve(GroupService, { putGroup, listGroups, deleteGroups }),
    serve(PolicyService, { ...policyRpcs(desk) }),
    serve(RolloutService, { ...rolloutRpcs(desk) }),
    serve(RevocationService, { ...revocationRpcs(desk) }),
    serve(CallerService, { ...callerRpcs(desk), ...trustRpcs(desk) }),
  ];
}
