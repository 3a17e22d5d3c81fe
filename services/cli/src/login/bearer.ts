import * as openid from "openid-client";
import { exitCodes, Stop } from "../stop.ts";
import { atIssuer, keptOf, openProvider } from "./issuer.ts";
import { changeLogins, type Login, readLogins, withLogin } from "./login-file.ts";
import { loginCommand } from "./profile.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** A token that ends sooner is renewed before it is used. */
const RENEW_BEFORE_MS = 30_000;

const usable = ({ expiresAtMs }: Login) => expiresAtMs - RENEW_BEFORE_MS > Date.now();

function endedLogin(profile: string): Stop {
  return new Stop(exitCodes.no, "your login has ended", `log in again: \`${loginCommand(profile)}\``);
}

async function renewed(profile: string, login: Login): Promise<Login> {
  const { issuer, clientId, refreshToken } = login;
  if (refreshToken === undefined) throw endedLogin(profile);
  const provider = await openProvider(issuer, clientId);
  const tokens = await atIssuer(issuer, "renewing your login", () => openid.refreshTokenGrant(provider, refreshToken));
  // An issuer need not say anew who it is; then somebody logs in.
  if (tokens.id_token === undefined) throw endedLogin(profile);
  const kept = keptOf(tokens);
  if (kept.subject !== login.subject) {
    throw new Stop(exitCodes.no, `${issuer} renewed your login for somebody else`, `\`${loginCommand(profile)}\``);
  }
  return { ...login, ...kept, refreshToken: kept.refreshToken ?? refreshToken };
}

/** The token of a login, renewed first where it ends soon. Of several processes one renews, and the others use that. */
export async function bearerOf(env: Env, profile: string): Promise<string> {
  const known = readLogins(env).logins[profile];
  if (known && usable(known)) return known.idToken;
  let login = known;
  await changeLogins(env, async (before) => {
    login = before.logins[profile];
    if (!login || usable(login)) return undefined;
    login = await renewed(profile, login);
    return withLogin(before, profile, login);
  });
  if (!login) throw endedLogin(profile);
  return login.idToken;
}
