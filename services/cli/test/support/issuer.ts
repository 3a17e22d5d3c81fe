import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Configuration } from "oidc-provider";

/** Somebody whom the issuer knows. */
export interface Account {
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

export const CLIENT = "remit-cli";
export const OTHER_CLIENT = "another-app";

/** A real provider of OpenID Connect on loopback. Whoever comes is the person that `setPerson` named last. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  readonly accounts: Map<string, Account>;
  setPerson(id: string): void;
  /** Signs with a new key from now on; the old one verifies no more. */
  rotateKeys(): void;
  /** Answers nothing until it is called with false. */
  setAway(away: boolean): void;
  /** The same issuer, whose ID tokens live so long. */
  setIdTokenSeconds(seconds: number): void;
}

function signingKey(kid: string) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" };
}

function client(id: string) {
  return {
    client_id: id,
    application_type: "native" as const,
    token_endpoint_auth_method: "none" as const,
    redirect_uris: ["http://127.0.0.1/callback"],
    response_types: ["code" as const],
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    id_token_signed_response_alg: "ES256" as const,
  };
}

export async function startIssuer(): Promise<TestIssuer> {
  const accounts = new Map<string, Account>();
  let person = "";
  let away = false;
  let idTokenSeconds = 600;
  let keys = 1;
  let handler: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const server = createServer((request, response) => {
    if (away) request.socket.destroy();
    else handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const build = () => {
    const configuration: Configuration = {
      clients: [client(CLIENT), client(OTHER_CLIENT)],
      jwks: { keys: [signingKey(`key-${keys}`)] },
      cookies: { keys: ["only for tests"] },
      pkce: { required: () => true },
      features: {
        devInteractions: { enabled: false },
        deviceFlow: { enabled: true },
        revocation: { enabled: true },
      },
      scopes: ["openid", "offline_access", "profile", "email", "groups"],
      claims: {
        openid: ["sub"],
        profile: ["name"],
        email: ["email", "email_verified"],
        groups: ["realm_access"],
      },
      // As most providers do: what the person is stands in the ID token.
      conformIdTokenClaims: false,
      ttl: {
        ...{ AccessToken: 600, DeviceCode: 600, Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
        IdToken: () => idTokenSeconds,
      },
      rotateRefreshToken: true,
      enabledJWA: { idTokenSigningAlgValues: ["ES256", "RS256"] },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      async loadExistingGrant(context) {
        const { client: asking, account, params } = context.oidc;
        const grant = new context.oidc.provider.Grant({
          clientId: asking?.clientId ?? "",
          accountId: account?.accountId ?? "",
        });
        grant.addOIDCScope(String(params?.scope ?? "openid offline_access profile email groups"));
        await grant.save();
        return grant;
      },
      findAccount(_context, id) {
        const account = accounts.get(id);
        if (!account) return undefined;
        const { name, email, groups } = account;
        const claims = { sub: id, name, email, email_verified: true, realm_access: { roles: [...groups] } };
        return { accountId: id, claims: async () => claims };
      },
    };
    const provider = new Provider(url, configuration);
    const handle = provider.callback();
    handler = (request, response) => {
      if (!request.url?.startsWith("/interaction/")) return void handle(request, response);
      const finish = async () => {
        const { prompt } = await provider.interactionDetails(request, response);
        const result = prompt.name === "login" ? { login: { accountId: person } } : { consent: {} };
        await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
      };
      finish().catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    };
  };
  build();

  return {
    url,
    accounts,
    setPerson(id) {
      person = id;
    },
    rotateKeys() {
      keys++;
      build();
    },
    setAway(now) {
      away = now;
    },
    setIdTokenSeconds(seconds) {
      idTokenSeconds = seconds;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
