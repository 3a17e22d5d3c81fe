import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

/** A key that a test's issuer signs with. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

let made = 0;

export async function makeKey(alg = "ES256", kid = `key-${++made}`): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

/** Signs a token of an hour; what is given takes the place of what would be there, and undefined leaves it out. */
export function signToken(
  { alg, kid, privateKey }: IssuerKey,
  claims: JWTPayload,
  header: Record<string, unknown> = {},
): Promise<string> {
  const now = nowSeconds();
  const payload = Object.fromEntries(
    Object.entries({ iat: now, exp: now + 3600, ...claims }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
}

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

/** An issuer on loopback: its discovery document and its keys, until a test has it answer otherwise. */
export interface TestIssuer extends AsyncDisposable {
  /** Its `iss`. */
  readonly url: string;
  readonly jwksUri: string;
  /** How often its keys were asked for. */
  readonly asked: { times: number };
  /** The keys that it publishes. */
  keys: IssuerKey[];
  /** Answers in the place of the keys, when it is set. */
  respond: Respond | undefined;
  /** A token of its first key. */
  token(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
}

export async function startIssuer(...keys: IssuerKey[]): Promise<TestIssuer> {
  const asked = { times: 0 };
  const server: Server = createServer((request, response) => {
    const json = (body: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    if (request.url === "/.well-known/openid-configuration") {
      json({ issuer: issuer.url, jwks_uri: issuer.jwksUri });
    } else if (request.url === "/keys") {
      asked.times++;
      if (issuer.respond) issuer.respond(request, response);
      else json({ keys: issuer.keys.map(({ publicJwk }) => publicJwk) });
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: TestIssuer = {
    ...{ url, jwksUri: `${url}/keys`, asked, respond: undefined },
    keys: keys.length > 0 ? keys : [await makeKey()],
    token(claims, header) {
      const [first] = issuer.keys;
      if (!first) throw new Error("the issuer has no key");
      return signToken(first, { iss: url, ...claims }, header);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}
