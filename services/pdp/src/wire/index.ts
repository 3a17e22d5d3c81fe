import { LedgerService } from "@remit/proto/admin";
import { BreakerService } from "@remit/proto/breaker";
import { ChangeService } from "@remit/proto/change";
import { DecisionService } from "@remit/proto/decision";
import { KeyService } from "@remit/proto/keys";
import { LoginService } from "@remit/proto/login";
import { SessionService } from "@remit/proto/session";
import { authorityServices } from "./admin/authority.ts";
import { breakerRpcs } from "./admin/breakers.ts";
import { changeRpcs } from "./admin/changes.ts";
import type { AdminDesk } from "./admin/desk.ts";
import { createGate, grantedOnly } from "./admin/gate.ts";
import { keyRpcs } from "./admin/keys.ts";
import { ledgerRpcs } from "./admin/ledger.ts";
import { loginRpcs } from "./admin/login.ts";
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
  const services = [
    ...authorityServices(desk),
    serve(BreakerService, { ...breakerRpcs(desk) }),
    serve(ChangeService, { ...changeRpcs(desk) }),
    serve(KeyService, { ...keyRpcs(desk) }),
    serve(LedgerService, { ...ledgerRpcs(desk) }),
    serve(LoginService, { ...loginRpcs(desk, desk.uptime) }),
  ];
  return services.map(createGate(desk));
}
export { warmUpRequests } from "./warm-up.ts";
