import * as openid from "openid-client";
import type { Io } from "../cli.ts";
import { exitCodes, Stop } from "../stop.ts";
import { openBrowser } from "./browser.ts";
import { openCallback } from "./callback.ts";
import { atIssuer, type Provider, pageAddress, scopesFor, type Tokens } from "./issuer.ts";

/** What both ways of logging in need. */
interface Way {
  readonly io: Io;
  readonly provider: Provider;
  readonly issuer: string;
  readonly scopes: readonly string[];
  /** How long a person may take. */
  readonly withinMs: number;
}

/** Authorization code with PKCE: a browser on this machine brings the issuer's answer (RFC 8252, RFC 7636). */
export async function byBrowser(way: Way & { readonly port: number; readonly open: boolean }): Promise<Tokens> {
  const { io, provider, issuer, scopes, withinMs, port, open } = way;
  const state = openid.randomState();
  const expectedNonce = openid.randomNonce();
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const onStrange = () => io.err("note: a browser came with the answer to another login; it was ignored");
  await using callback = await openCallback({ port, state, withinMs, onStrange });
  const scope = scopesFor(provider, scopes);
  const address = openid.buildAuthorizationUrl(provider, {
    ...{ redirect_uri: callback.redirectUri, scope, state, nonce: expectedNonce },
    // What lets a login be renewed is the person's to give (OpenID Connect Core 1.0, section 11).
    ...(scope.split(" ").includes("offline_access") && { prompt: "consent" }),
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const page = pageAddress(address.href);
  const problem = open ? await openBrowser(page, io.env) : "not asked to";
  if (open && problem !== undefined) io.err(`note: no browser could be opened here (${problem})`);
  io.err(`log in here${problem === undefined ? ", if no page has opened" : ""}:\n  ${page}`);
  const answered = await callback.answered();
  return atIssuer(issuer, "logging in", () =>
    openid.authorizationCodeGrant(provider, answered, {
      ...{ pkceCodeVerifier, expectedState: state, expectedNonce, idTokenExpected: true },
    }),
  );
}

/** Device authorization (RFC 8628): the person logs in with any browser and compares a code. */
export async function byDevice({ io, provider, issuer, scopes, withinMs }: Way): Promise<Tokens> {
  if (provider.serverMetadata().device_authorization_endpoint === undefined) {
    throw new Stop(exitCodes.no, `${issuer} knows no device logins`, "log in without --device");
  }
  const device = await atIssuer(issuer, "asking for a code", () =>
    openid.initiateDeviceAuthorization(provider, { scope: scopesFor(provider, scopes) }),
  );
  io.err(`log in here:\n  ${pageAddress(device.verification_uri)}\nand give this code:\n  ${device.user_code}`);
  if (device.verification_uri_complete !== undefined) {
    io.err(`or, with the code in it:\n  ${pageAddress(device.verification_uri_complete)}`);
  }
  const signal = AbortSignal.timeout(withinMs);
  return atIssuer(issuer, "logging in", async () => {
    try {
      return await openid.pollDeviceAuthorizationGrant(provider, device, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Stop(exitCodes.no, `nobody logged in within ${Math.round(withinMs / 1000)} seconds`, "try again");
    }
  });
}
