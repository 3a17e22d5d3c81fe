import { usage } from "../stop.ts";
import { DEFAULT_PROFILE, type Login, readLogins } from "./login-file.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The command that logs a profile in. */
export const loginCommand = (profile: string) =>
  profile === DEFAULT_PROFILE ? "remit login" : `remit login --profile ${profile}`;

/** The profile that the environment names, or the one that is there. Undefined where nobody has logged in. */
export function profileFrom(env: Env): { readonly profile: string; readonly login: Login } | undefined {
  const profile = env.REMIT_PROFILE || DEFAULT_PROFILE;
  const login = readLogins(env).logins[profile];
  if (!login && env.REMIT_PROFILE) {
    throw usage(`nobody has logged in as the profile ${profile}`, `\`${loginCommand(profile)}\``);
  }
  if (!login) return undefined;
  const { REMIT_ADMIN_ADDRESS: asked } = env;
  // A token is sent to the service that it was made for, and to no other.
  if (asked && asked !== login.adminAddress) {
    throw usage(
      `REMIT_ADMIN_ADDRESS is ${asked}, and the profile ${profile} has logged in at ${login.adminAddress}`,
      "unset it, log in there as another profile (`remit login --profile NAME`), or set REMIT_API_KEY",
    );
  }
  return { profile, login };
}
