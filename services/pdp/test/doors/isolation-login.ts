import type { Probe } from "./isolation-table.ts";
import { type Neighbours, nothing, THEIRS } from "./neighbours.ts";

/** What is tried with the RPCs by which people come in, and with what the ledger tells of the admin plane. */
export const loginPlane: Readonly<Record<string, (neighbours: Neighbours) => Probe[]>> = {
  "remit.v1.LoginService/GetLogin": ({ ours }) => [
    { theirs: THEIRS, nobodys: "nobody", alike: (tenant) => ours.house.clients.login.getLogin({ tenant }) },
  ],
  "remit.v1.LoginService/WhoAmI": ({ ours: { house, headers } }) => [
    { ours: () => house.clients.login.whoAmI({}, { headers }) },
  ],
  "remit.v1.LedgerService/ListAdminCalls": ({ ours: { house, headers }, theirs }) => {
    const list = (more: object) => house.clients.ledger.listAdminCalls(more, { headers });
    const callers = async () => (await list({})).calls.map(({ body }) => body?.caller);
    return [
      { theirs: theirs.callerId, nobodys: nothing(), alike: (callerId) => list({ callerId }) },
      // What we asked with their names is recorded as ours.
      { ours: callers },
    ];
  },
};
