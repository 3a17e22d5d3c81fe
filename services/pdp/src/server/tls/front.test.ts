import { expect, test } from "vitest";
import { loadConfig } from "../../config/index.ts";
import { meshOf } from "./front.ts";

const self = "spiffe://example.org/ns/remit/sa/remit";

/** Whether a peer at an address, with a certificate or without, is a proxy of a service with these peers. */
function proxies(meshPeers: string | undefined) {
  const env = { REMIT_TRANSPORT: "mesh", REMIT_MESH_IDENTITY: self, ...(meshPeers && { REMIT_MESH_PEERS: meshPeers }) };
  const loaded = loadConfig({ env, purpose: "serve" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const mesh = meshOf(loaded.config);
  return (address: string) => mesh?.isProxy({ address, shown: { kind: "nobody" } });
}

test("the proxies of the pod are its own, also by the addresses that a sidecar connects from", () => {
  const isProxy = proxies(undefined);
  for (const address of ["127.0.0.1", "127.0.0.6", "::1", "::ffff:127.0.0.6"])
    expect(isProxy(address), address).toBe(true);
  for (const address of ["10.0.0.6", "::6", "::ffff:10.0.0.6", ""]) expect(isProxy(address), address).toBe(false);
});

test("addresses that are named are compared as they stand, beside those of the pod", () => {
  const isProxy = proxies("loopback,::6");
  for (const address of ["::6", "127.0.0.6"]) expect(isProxy(address), address).toBe(true);
  expect(isProxy("::7")).toBe(false);
  expect(proxies("10.1.2.3")("127.0.0.1")).toBe(false);
});

test("without an identity in a mesh nobody is a proxy", () => {
  const loaded = loadConfig({ env: {}, purpose: "serve" });
  expect(loaded.ok && meshOf(loaded.config)).toBeUndefined();
});
