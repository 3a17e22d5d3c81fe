import * as openid from "openid-client";
import { exitCodes, Stop } from "../stop.ts";

const TIMEOUT_SECONDS = 10;

export type Provider = openid.Configuration;
export type Tokens = Awaited<ReturnType<typeof openid.authorizationCodeGrant>>;

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** Whether tokens may travel there: by TLS, or not leaving this machine. */
const isSafe = ({ protocol, hostname }: URL) =>
  protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname));

/** What went wrong with an issuer, in words. */
function issuerProblem(error: unknown): string {
  if (error instanceof openid.AuthorizationResponseError || error instanceof openid.ResponseBodyError) {
    const { error: code, error_description: description } = error;
    return description ? `${code}: ${description}` : code;
  }
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : "";
  return cause === "" || cause === error.message ? error.message : `${error.message}: ${cause}`;
}

function stop(issuer: string, doing: string, error: unknown): Stop {
  if (error instanceof Stop) return error;
  const answered = error instanceof openid.AuthorizationResponseError || error instanceof openid.ResponseBodyError;
  const code = answered ? exitCodes.no : exitCodes.unavailable;
  const fix = answered ? "log in again: `remit login`" : "check that this machine reaches it, and try again";
  return new Stop(code, `${doing} at ${issuer} failed: ${issuerProblem(error)}`, fix, error);
}

/** Does something with an issuer; what fails is told with what was being done. */
export async function atIssuer<Result>(issuer: string, doing: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw stop(issuer, doing, error);
  }
}

/** Reads how an issuer is spoken to. The client is public: it has no secret, PKCE stands for it. */
export function openProvider(issuer: string, clientId: string): Promise<Provider> {
  if (!URL.canParse(issuer) || !isSafe(new URL(issuer))) {
    throw new Stop(exitCodes.no, `the issuer ${issuer} is not reached by https`, "ask whoever runs the service");
  }
  const url = new URL(issuer);
  const insecure = url.protocol === "http:" ? { execute: [openid.allowInsecureRequests] } : {};
  return atIssuer(issuer, "reading how to log in", async () => {
    const none = { token_endpoint_auth_method: "none" };
    return openid.discovery(url, clientId, none, openid.None(), { ...insecure, timeout: TIMEOUT_SECONDS });
  });
}

/** The scopes that an issuer knows among those wanted: an unknown one would be refused by some. */
export function scopesFor(provider: Provider, wanted: readonly string[]): string {
  const { scopes_supported: known } = provider.serverMetadata();
  return wanted.filter((scope) => scope === "openid" || known === undefined || known.includes(scope)).join(" ");
}

/** An address that a person is sent to. Nothing but a page, whatever the issuer says. */
export function pageAddress(address: string): string {
  if (URL.canParse(address) && isSafe(new URL(address))) return address;
  throw new Stop(exitCodes.no, `the issuer sends people to ${JSON.stringify(address)}, which is no page by https`);
}

/** Tells an issuer that a login has ended (RFC 7009). Answers why that could not be done. */
export async function revokeRefreshToken(issuer: string, clientId: string, token: string): Promise<string | undefined> {
  try {
    const provider = await openProvider(issuer, clientId);
    if (provider.serverMetadata().revocation_endpoint === undefined) return "it takes no such word";
    await openid.tokenRevocation(provider, token, { token_type_hint: "refresh_token" });
    return undefined;
  } catch (error) {
    return issuerProblem(error);
  }
}

/** What of an issuer's answer is kept. Throws when it says nothing of who logged in. */
export function keptOf(tokens: Tokens): {
  readonly subject: string;
  readonly idToken: string;
  readonly expiresAtMs: number;
  readonly refreshToken: string | undefined;
} {
  const claims = tokens.claims();
  if (claims === undefined || tokens.id_token === undefined) {
    throw new Stop(
      exitCodes.no,
      "the issuer answered without an ID token",
      "its client must be allowed the scope openid",
    );
  }
  const { sub: subject, exp } = claims;
  return { subject, idToken: tokens.id_token, expiresAtMs: exp * 1000, refreshToken: tokens.refresh_token };
}
