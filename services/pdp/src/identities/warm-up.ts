import { generateKeyPairSync, sign } from "node:crypto";
import type { Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { readCompact } from "./compact-jwt.ts";
import { keySetFrom } from "./issuer-keys.ts";
import { metBy, type Trust } from "./trust.ts";
import { verifyJwt } from "./verify-jwt.ts";

const ROUNDS = 30;
const LIFE_SECONDS = 60;
const GROUPS = 200;

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * Has the machine compiled what verifies tokens, by one of this process's own, before anybody is let in: the first one of
 * a stranger would hold the thread for several times as long as those after it.
 */
export async function warmUpTokens(nowMs: number, pause: Pause): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "warm" }] };
  const issuer: Trust["issuers"][number] = {
    ...{ tenant: "warm", name: "warm", profile: "oidc", use: "workloads", issuer: "https://warm.invalid", claims: {} },
    ...{ audiences: ["warm"], algorithms: ["ES256"], principalPrefix: "", jwks, jwksUri: undefined },
    ...{ tokenSecondsMax: limits.issuerTokenSecondsMax, sessionSecondsMax: LIFE_SECONDS },
  };
  const [iat, groups] = [Math.floor(nowMs / 1000), Array.from({ length: GROUPS }, (_, at) => `group-${at}`)];
  const more = Array.from({ length: GROUPS }, (_, at) => [`claim-${at}`, [at]]);
  const said = { iss: issuer.issuer, aud: "warm", sub: "warm", iat, exp: iat + LIFE_SECONDS, groups };
  const text = `${base64({ alg: "ES256", kid: "warm" })}.${base64({ ...said, ...Object.fromEntries(more) })}`;
  const token = `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  const bindings = Array.from({ length: GROUPS }, (_, at) => ({
    ...{ name: `b${at}`, issuer: "warm", subject: "*w*", group: undefined, agents: ["warm"], roles: [] },
    mayAssertPrincipals: false,
  }));
  for (let round = 0; round < ROUNDS; round++) {
    const keys = keySetFrom(jwks, "oidc");
    const source = { current: () => keys, refresh: async () => true };
    const { said } = await verifyJwt(token, readCompact(token), issuer, source, nowMs);
    await metBy({ bindings }, { ...said, tenant: "warm", kind: "jwt", source: "warm", issuer: "warm" }, pause);
    await pause();
  }
}
