import type { Probe } from "./isolation-table.ts";
import { type Neighbours, nothing, THEIRS } from "./neighbours.ts";

type Row = (neighbours: Neighbours) => Probe[];

const digest = `sha256:${"0".repeat(64)}`;

/** What is tried with the RPCs of `ChangeService`. */
export const changeRows: Readonly<Record<string, Row>> = {
  "remit.v1.ChangeService/ProposeChange": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-second`, nobodys: "no-rules" },
      alike: (policy) => {
        const method = "remit.v1.PolicyService/ActivatePolicies";
        const message = { choices: [{ policy }] };
        return ours.house.clients.changes.proposeChange({ method, message }, { headers: ours.headers });
      },
    },
  ],
  ...Object.fromEntries(
    (["approveChange", "rejectChange", "withdrawChange", "getChange"] as const).map((rpc) => [
      `remit.v1.ChangeService/${rpc.charAt(0).toUpperCase()}${rpc.slice(1)}`,
      ({ ours, theirs }: Neighbours): Probe[] => [
        {
          ...{ theirs: theirs.changeId, nobodys: nothing() },
          alike: (changeId) => ours.house.clients.changes[rpc]({ changeId, digest }, { headers: ours.headers }),
        },
      ],
    ]),
  ),
  "remit.v1.ChangeService/ListChanges": ({ ours }) => [
    { ours: () => ours.house.clients.changes.listChanges({}, { headers: ours.headers }) },
  ],
};
