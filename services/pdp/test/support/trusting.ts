import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BindingSchema, IssuerSchema } from "@remit/proto/admin";
import type { House } from "./pdp.ts";

const owner = ({ ownerKey }: House) => ({ headers: { authorization: `Bearer ${ownerKey}` } });

/** Trusts an issuer of workloads for the first tenant, unless more is said. */
export const putIssuer = (house: House, issuer: MessageInitShape<typeof IssuerSchema>) =>
  house.clients.callers.putIssuer(
    { issuer: { profile: "oidc", use: "workloads", audiences: ["remit:default"], ...issuer } as never },
    owner(house),
  );

export const putBinding = (house: House, binding: MessageInitShape<typeof BindingSchema>) =>
  house.clients.callers.putBinding({ binding }, owner(house));

export const deleteIssuers = (house: House, ...names: string[]) =>
  house.clients.callers.deleteIssuers({ names }, owner(house));

export const deleteBindings = (house: House, ...names: string[]) =>
  house.clients.callers.deleteBindings({ names }, owner(house));

export const listCallers = async (house: House) => (await house.clients.callers.listCallers({}, owner(house))).callers;
