import type { Probe } from "./isolation-table.ts";
import { type Neighbours, THEIRS } from "./neighbours.ts";

type Row = (neighbours: Neighbours) => Probe[];

/** What is tried with what is of the whole cell. */
export const cellRows: Readonly<Record<string, Row>> = {
  "remit.v1.KeyService/ListSigningKeys": ({ ours: { house, headers } }) => [
    { refused: () => house.clients.keys.listSigningKeys({}, { headers }) },
  ],
  "remit.v1.KeyService/RotateSigningKey": ({ ours: { house, headers } }) => [
    { refused: () => house.clients.keys.rotateSigningKey({}, { headers }) },
  ],
  "remit.v1.KeyService/RewrapKeys": ({ ours: { house, headers } }) => [
    { refused: () => house.clients.keys.rewrapKeys({}, { headers }) },
  ],
  "remit.v1.KeyService/EnableSealing": ({ ours: { house, headers } }) => [
    { refused: () => house.clients.keys.enableSealing({}, { headers }) },
  ],
  "remit.v1.KeyService/EraseTenant": ({ ours: { house, headers } }) => {
    const erase = (tenant: string) => house.clients.keys.eraseTenant({ tenant, confirm: tenant }, { headers });
    return [{ theirs: THEIRS, nobodys: "nobody", alike: erase }, { refused: () => erase(THEIRS) }];
  },
};
