import type { Probe } from "./isolation-table.ts";
import { type Neighbours, nothing, THEIRS } from "./neighbours.ts";

/** What is tried with each RPC of `CallerService`. */
export const callerRows: Readonly<Record<string, (neighbours: Neighbours) => Probe[]>> = {
  "remit.v1.CallerService/CreateKey": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-caller`, nobodys: "new-caller" },
      alike: async (name) => {
        const { caller } = await ours.house.clients.callers.createKey({ name }, { headers: ours.headers });
        return { roles: caller?.roles, agents: caller?.agents };
      },
    },
  ],
  "remit.v1.CallerService/ListCallers": ({ ours, theirs }) => [
    {
      ours: async () => {
        const { callers } = await ours.house.clients.callers.listCallers({}, { headers: ours.headers });
        return callers.filter(({ id, name }) => id === theirs.callerId || name !== `${THEIRS}-caller`);
      },
    },
  ],
  "remit.v1.CallerService/RevokeKey": ({ ours, theirs }) => [
    {
      ...{ theirs: theirs.callerId, nobodys: nothing() },
      alike: (callerId) => ours.house.clients.callers.revokeKey({ callerId }, { headers: ours.headers }),
    },
  ],
  "remit.v1.CallerService/PutIssuer": ({ ours }) => {
    const put = (own: object) =>
      ours.house.clients.callers.putIssuer(
        { issuer: { profile: "oidc", use: "workloads", audiences: ["remit:acme"], ...own }, dryRun: true },
        { headers: ours.headers },
      );
    return [
      {
        ...{ theirs: `${THEIRS}-idp`, nobodys: "new-idp" },
        alike: async (name) => (await put({ name, issuer: "https://other.example" })).change,
      },
      {
        ...{ theirs: `https://${THEIRS}.example`, nobodys: "https://nobody.example" },
        alike: async (issuer) => (await put({ name: "mine", issuer })).change,
      },
      {
        ...{ theirs: `remit:${THEIRS}`, nobodys: "remit:nobody" },
        alike: (audience) => put({ name: "mine", issuer: "https://other.example", audiences: [audience] }),
      },
    ];
  },
  "remit.v1.CallerService/ListIssuers": ({ ours }) => [
    { ours: () => ours.house.clients.callers.listIssuers({}, { headers: ours.headers }) },
  ],
  "remit.v1.CallerService/DeleteIssuers": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-idp`, nobodys: "no-idp" },
      alike: (name) => ours.house.clients.callers.deleteIssuers({ names: [name] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.CallerService/PutBinding": ({ ours }) => {
    const put = (own: object) =>
      ours.house.clients.callers.putBinding(
        { binding: { issuer: "acme-idp", subject: "s", ...own }, dryRun: true },
        { headers: ours.headers },
      );
    return [
      {
        ...{ theirs: `${THEIRS}-binding`, nobodys: "new-binding" },
        alike: async (name) => (await put({ name })).change,
      },
      { theirs: `${THEIRS}-idp`, nobodys: "no-idp", alike: (issuer) => put({ name: "mine", issuer }) },
    ];
  },
  "remit.v1.CallerService/ListBindings": ({ ours }) => [
    { ours: () => ours.house.clients.callers.listBindings({}, { headers: ours.headers }) },
  ],
  "remit.v1.CallerService/DeleteBindings": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-binding`, nobodys: "no-binding" },
      alike: (name) => ours.house.clients.callers.deleteBindings({ names: [name] }, { headers: ours.headers }),
    },
  ],
};
