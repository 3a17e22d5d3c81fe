import { readFileSync } from "node:fs";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import {
  AgentService,
  BudgetService,
  CallerService,
  GroupService,
  LedgerService,
  PolicyService,
  ToolService,
} from "@remit/proto/admin";
import { BreakerService } from "@remit/proto/breaker";
import { ChangeService } from "@remit/proto/change";
import { DecisionService } from "@remit/proto/decision";
import { KeyService } from "@remit/proto/keys";
import { LoginService } from "@remit/proto/login";
import { RevocationService } from "@remit/proto/revocation";
import { RolloutService } from "@remit/proto/rollout";
import { SessionService } from "@remit/proto/session";
import { TenantService } from "@remit/proto/tenant";
import { profileFrom } from "./login/profile.ts";
import { proposing } from "./proposing.ts";
import { usage } from "./stop.ts";

const TIMEOUT_MS = 30_000;

/** One client a service. */
export interface Clients {
  readonly decision: Client<typeof DecisionService>;
  readonly session: Client<typeof SessionService>;
  readonly tenant: Client<typeof TenantService>;
  readonly agent: Client<typeof AgentService>;
  readonly tool: Client<typeof ToolService>;
  readonly policy: Client<typeof PolicyService>;
  readonly rollout: Client<typeof RolloutService>;
  readonly revocation: Client<typeof RevocationService>;
  readonly breaker: Client<typeof BreakerService>;
  readonly budget: Client<typeof BudgetService>;
  readonly group: Client<typeof GroupService>;
  readonly caller: Client<typeof CallerService>;
  readonly keys: Client<typeof KeyService>;
  readonly changes: Client<typeof ChangeService>;
  readonly ledger: Client<typeof LedgerService>;
  readonly login: Client<typeof LoginService>;
}

export interface Target {
  /** host:port or a URL of the gRPC lane: what the SDK's REMIT_ADDRESS is, too. */
  readonly address: string;
  /** host:port or a URL of the admin services. */
  readonly adminAddress: string;
  /** An API key, or a token of an issuer. Empty where somebody has logged in, or a client certificate says who calls. */
  readonly apiKey: string;
  /** Of who has logged in; asked for with every request. Without it and a key, nobody asks. */
  readonly token?: () => Promise<string>;
  readonly sessionToken?: string | undefined;
  readonly tls?: ClientTls | undefined;
}

/** What is trusted and what is shown when TLS is spoken, PEM. */
export interface ClientTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** The base URL of an address as people write it; `variable` is named when it is wrong. */
export function baseUrl(address: string, variable: string, tls?: ClientTls): string {
  const text = /^https?:\/\//.test(address) ? address : `${tls ? "https" : "http"}://${address}`;
  if (tls && text.startsWith("http:")) {
    throw usage(
      `${variable} is in clear text, and REMIT_TLS_* name files for TLS`,
      `set ${variable} to https://... or host:port`,
    );
  }
  if (!URL.canParse(text)) {
    throw usage(`${variable} is not an address: ${JSON.stringify(address)}`, `set ${variable} to host:port or a URL`);
  }
  return text.replace(/\/+$/, "");
}

/** Clients of one service. Idle connections do not keep the process alive. */
export function connectClients(target: Target): Clients {
  const credentials: Interceptor = (next) => async (request) => {
    const bearer = target.apiKey || (await target.token?.());
    if (bearer) request.header.set("authorization", `Bearer ${bearer}`);
    if (target.sessionToken !== undefined) request.header.set("remit-session", target.sessionToken);
    return next(request);
  };
  const { tls } = target;
  const common = { interceptors: [credentials], defaultTimeoutMs: TIMEOUT_MS, ...(tls && { nodeOptions: { ...tls } }) };
  const data = createGrpcTransport({ ...common, baseUrl: baseUrl(target.address, "REMIT_ADDRESS", tls) });
  const admin: Transport = createConnectTransport({
    ...common,
    interceptors: [proposing(() => admin), credentials],
    baseUrl: baseUrl(target.adminAddress, "REMIT_ADMIN_ADDRESS", tls),
    httpVersion: "1.1",
  });
  return {
    decision: createClient(DecisionService, data),
    session: createClient(SessionService, data),
    tenant: createClient(TenantService, admin),
    agent: createClient(AgentService, admin),
    tool: createClient(ToolService, admin),
    policy: createClient(PolicyService, admin),
    rollout: createClient(RolloutService, admin),
    revocation: createClient(RevocationService, admin),
    breaker: createClient(BreakerService, admin),
    budget: createClient(BudgetService, admin),
    group: createClient(GroupService, admin),
    caller: createClient(CallerService, admin),
    keys: createClient(KeyService, admin),
    changes: createClient(ChangeService, admin),
    ledger: createClient(LedgerService, admin),
    login: createClient(LoginService, admin),
  };
}

function readPem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw usage(`${variable} cannot be read: ${(error as Error).message}`, `set ${variable} to a file in PEM`);
  }
}

/** The files for TLS that the environment names; undefined where it names none. */
export function tlsFrom(env: Readonly<Record<string, string | undefined>>): ClientTls | undefined {
  const variables = { ca: "REMIT_TLS_TRUST_FILE", cert: "REMIT_TLS_CERTIFICATE_FILE", key: "REMIT_TLS_KEY_FILE" };
  const given = Object.entries(variables).flatMap(([field, variable]) => {
    const path = env[variable];
    return path ? [[field, readPem(variable, path)] as const] : [];
  });
  if (given.length === 0) return undefined;
  const tls: ClientTls = Object.fromEntries(given);
  if ((tls.cert === undefined) === (tls.key === undefined)) return tls;
  const fix = "set both REMIT_TLS_CERTIFICATE_FILE and REMIT_TLS_KEY_FILE, or neither";
  throw usage("a client certificate needs its key, and a key its certificate", fix);
}

/** Where the environment says that the service listens. */
export function addressesFrom(env: Readonly<Record<string, string | undefined>>) {
  // SDKs know what to do with several; one command needs one.
  const [address = ""] = (env.REMIT_ADDRESS ?? "").split(",");
  return { address: address.trim() || "127.0.0.1:7081", adminAddress: env.REMIT_ADMIN_ADDRESS || "127.0.0.1:7082" };
}

/** The key or the token that the environment names; empty where it names none. */
function credentialFrom(env: Readonly<Record<string, string | undefined>>): string {
  const { REMIT_API_KEY: key, REMIT_TOKEN: token, REMIT_TOKEN_FILE: file } = env;
  if ([key, token, file].filter(Boolean).length > 1) {
    throw usage("more than one credential is set", "set one of REMIT_API_KEY, REMIT_TOKEN and REMIT_TOKEN_FILE");
  }
  if (!file) return key || token || "";
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw usage(`REMIT_TOKEN_FILE cannot be read: ${(error as Error).message}`, "set it to a file that holds a token");
  }
}

/** The target that the environment names: by a key or a token, a client certificate, or who has logged in. */
export function targetFrom(env: Readonly<Record<string, string | undefined>>, sessionToken?: string): Target {
  const apiKey = credentialFrom(env);
  const tls = tlsFrom(env);
  const common = { sessionToken: sessionToken ?? (env.REMIT_SESSION || undefined), ...(tls && { tls }) };
  // What was named for this command goes before who has logged in at some time.
  const named = apiKey !== "" || (tls?.cert !== undefined && !env.REMIT_PROFILE);
  if (named) return { ...addressesFrom(env), apiKey, ...common };
  const found = profileFrom(env);
  if (found === undefined) {
    throw usage(
      "no API key is set, and nobody has logged in",
      "people: `remit login`; services: export REMIT_API_KEY=rmt_... (the first `remit serve` prints one, `remit keys create` makes others)",
    );
  }
  const { profile, login } = found;
  // Who has logged in is not asked for what only the protocol of logins needs until a request is sent.
  const token = async () => (await import("./login/bearer.ts")).bearerOf(env, profile);
  return { address: login.address, adminAddress: login.adminAddress, apiKey: "", token, ...common };
}
