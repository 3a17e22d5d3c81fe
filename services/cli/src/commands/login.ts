import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type LoginIssuer, type WhoAmIResponse, WhoAmIResponseSchema } from "@remit/proto/login";
import type { Command } from "commander";
import { seconds } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { addressesFrom, connectClients, tlsFrom } from "../clients.ts";
import { examples } from "../examples.ts";
import { changeLogins, DEFAULT_PROFILE, type Login, readLogins, withLogin, without } from "../login/login-file.ts";
import { exitCodes, Stop, usage } from "../stop.ts";

interface LoginFlags {
  profile: string;
  tenant: string;
  issuer?: string;
  clientId?: string;
  device?: boolean;
  browser: boolean;
  port: string;
  timeout: string;
  json?: boolean;
}

/** Who the service says somebody is, in lines for people. */
function whoLines(who: WhoAmIResponse): string[] {
  const { tenant, name, callerId, kind, roles, agents, mayAssertPrincipals, proof } = who;
  const lines = [
    ["tenant", tenant],
    ["caller", `${name} (${callerId}), by ${kind === "person" ? "login" : kind}`],
    ["roles", roles.join(", ") || "none"],
    ["agents", agents.join(", ") || "none"],
    ...(mayAssertPrincipals ? [["principals", "may be asserted"]] : []),
    ...(proof ? [["proved by", `${proof.issuer}, as ${proof.subject}`]] : []),
    ...(proof?.groups.length ? [["groups", proof.groups.join(", ")]] : []),
    ...(proof?.bindings.length ? [["bindings", proof.bindings.join(", ")]] : []),
    ...(proof?.expiresAt ? [["until", timestampDate(proof.expiresAt).toISOString()]] : []),
  ];
  return lines.map(([title = "", text = ""]) => `${title.padEnd(12)}${text}`);
}

function show(cli: Cli, who: WhoAmIResponse, json: boolean): void {
  if (json) printJson(cli.io, toJson(WhoAmIResponseSchema, who));
  else for (const line of whoLines(who)) cli.io.out(line);
}

function chosen(issuers: readonly LoginIssuer[], flags: LoginFlags): LoginIssuer & { clientId: string } {
  const named = issuers.filter(({ name }) => flags.issuer === undefined || name === flags.issuer);
  const [only, ...others] = named;
  const names = issuers.map(({ name }) => name).join(", ");
  if (issuers.length === 0) {
    const fix = "use an API key; an owner lets people in with `remit issuers put`";
    throw new Stop(exitCodes.no, `the service lets no people of the tenant ${flags.tenant || "default"} log in`, fix);
  }
  if (!only) throw usage(`there is no issuer ${flags.issuer}`, `choose one of ${names}`);
  if (others.length > 0) throw usage("people log in at several issuers", `choose one with --issuer: ${names}`);
  const clientId = flags.clientId ?? only.clientId;
  if (clientId === "") throw usage(`the issuer ${only.name} knows several clients`, "choose one with --client-id");
  return { ...only, clientId };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw usage("--port takes a whole number from 0 to 65535");
}

async function logIn(cli: Cli, flags: LoginFlags): Promise<void> {
  const { io } = cli;
  const addresses = addressesFrom(io.env);
  const tls = tlsFrom(io.env);
  const target = { ...addresses, ...(tls && { tls }) };
  const withinMs = seconds(flags.timeout, "--timeout") * 1000;
  const port = portOf(flags.port);
  const { issuers } = await connectClients({ ...target, apiKey: "" }).login.getLogin({ tenant: flags.tenant });
  const { issuer, clientId, scopes } = chosen(issuers, flags);
  // The protocol of logins is read when somebody logs in, and not by every command.
  const { keptOf, openProvider } = await import("../login/issuer.ts");
  const { byBrowser, byDevice } = await import("../login/ways.ts");
  const provider = await openProvider(issuer, clientId);
  const way = { io, provider, issuer, scopes, withinMs };
  const tokens = flags.device ? await byDevice(way) : await byBrowser({ ...way, port, open: flags.browser });
  const kept = keptOf(tokens);
  // Nothing is kept of a login that the service does not take.
  const who = await connectClients({ ...target, apiKey: kept.idToken }).login.whoAmI({});
  const login: Login = { ...addresses, tenant: who.tenant, issuer, clientId, ...kept };
  await changeLogins(io.env, async (before) => withLogin(before, flags.profile, login));
  const renewed =
    kept.refreshToken === undefined ? "; then log in again" : ", and is renewed as long as the issuer lets it";
  io.err(`logged in as ${who.name} until ${new Date(kept.expiresAtMs).toISOString()}${renewed}`);
  show(cli, who, flags.json ?? false);
}

async function revokeAtIssuer(cli: Cli, { issuer, clientId, refreshToken }: Login): Promise<void> {
  if (refreshToken === undefined) return;
  const { revokeRefreshToken } = await import("../login/issuer.ts");
  const problem = await revokeRefreshToken(issuer, clientId, refreshToken);
  if (problem !== undefined) cli.io.err(`note: ${issuer} was not told: ${problem}`);
}

async function logOut(cli: Cli, flags: { profile: string; all?: boolean; json?: boolean }): Promise<void> {
  const { logins } = readLogins(cli.io.env);
  const names = flags.all ? Object.keys(logins) : [flags.profile].filter((name) => name in logins);
  await changeLogins(cli.io.env, async (before) => without(before, names));
  for (const name of names) {
    const login = logins[name];
    if (login) await revokeAtIssuer(cli, login);
  }
  if (flags.json) return printJson(cli.io, { loggedOut: names });
  cli.io.out(names.length === 0 ? "nobody was logged in" : `logged out: ${names.join(", ")}`);
}

const PROFILE = "--profile <name>";
const PROFILE_MEANS = "one of several logins; other commands use the one that REMIT_PROFILE names";

/** `remit login`, `remit logout`, `remit whoami`. */
export function addLogin(program: Command, cli: Cli): void {
  const profile = cli.io.env.REMIT_PROFILE || DEFAULT_PROFILE;
  const login = program
    .command("login")
    .description("log in as a person, at the issuer that the service trusts for people")
    .option(PROFILE, PROFILE_MEANS, profile)
    .option("--tenant <name>", "whose people; empty: those of the service's first tenant", "")
    .option("--issuer <name>", "which issuer, where there are several")
    .option("--client-id <id>", "which client of it, where there are several")
    .option("--device", "log in with a browser on another device")
    .option("--no-browser", "print the page's address and open nothing")
    .option("--port <n>", "of 127.0.0.1, where the browser brings the answer; 0: any", "0")
    .option("--timeout <duration>", "how long to wait for you", "5m")
    .option("--json", "for machines")
    .action((flags: LoginFlags) => logIn(cli, flags));
  examples(login, [
    ["with the browser of this machine", "REMIT_ADMIN_ADDRESS=remit.example.com:7082 remit login"],
    ["over ssh", "remit login --device"],
    ["to another service", "REMIT_ADMIN_ADDRESS=staging:7082 remit login --profile staging"],
  ]);
  const logout = program
    .command("logout")
    .description("forget a login, and tell its issuer")
    .option(PROFILE, "which login", profile)
    .option("--all", "all of them")
    .option("--json", "for machines")
    .action((flags: { profile: string; all?: boolean; json?: boolean }) => logOut(cli, flags));
  examples(logout, [["everywhere", "remit logout --all"]]);
  const whoami = program
    .command("whoami")
    .description("whom the service takes you for, by what, and until when")
    .option("--json", "for machines")
    .action(async (flags: { json?: boolean }) => show(cli, await cli.clients().login.whoAmI({}), flags.json ?? false));
  examples(whoami, [["which roles do I have?", "remit whoami"]]);
}
