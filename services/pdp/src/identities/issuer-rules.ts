import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { quoted } from "../foundation/quoted.ts";
import { CERTIFICATES } from "./evidence.ts";
import { keySetFrom } from "./issuer-keys.ts";
import { parseSpiffeId } from "./spiffe-id.ts";
import type { Binding, Issuer, Trust } from "./trust.ts";

/** What tokens may be signed with: keys whose public half verifies. What both sides must know is no proof of either. */
export const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA"],
] as const;

/** Our own tokens name it, and are no caller's. */
const OURS = "remit";
const NAME = /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/;
const AUDIENCE_OF_TENANT = "remit:";

function requireName(name: string): void {
  if (NAME.test(name)) return;
  throw invalid("name", `${quoted(name)} is no name of an issuer or a binding`, {
    fix: "use up to 64 of a-z, 0-9, dots, dashes and underscores",
  });
}

function requireUrl(text: string, field: string, loopback: boolean): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const here = url !== undefined && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const ok = url?.protocol === "https:" || (url?.protocol === "http:" && here && loopback);
  if (ok && url.username === "" && url.password === "" && url.hash === "") return;
  throw invalid(field, `${field} must be an https address without credentials`, {
    fix: loopback ? "http is read from loopback alone" : "send an address that begins with https://",
  });
}

function requireKeys({ jwks, profile }: Issuer): void {
  if (!jwks) return;
  const { keys } = jwks as { readonly keys?: readonly Record<string, unknown>[] };
  const listed = Array.isArray(keys) ? keys : [];
  if (listed.some((key) => typeof key === "object" && key !== null && ("d" in key || "k" in key))) {
    throw invalid("jwks", "jwks holds a secret", { fix: "send public keys alone, and replace the one that was sent" });
  }
  const kids = listed.map(({ kid }) => kid).filter((kid) => kid !== undefined);
  if (new Set(kids).size !== kids.length) {
    throw invalid("jwks", "two keys have the same kid", { fix: "name every key once" });
  }
  try {
    keySetFrom(jwks, profile);
  } catch (error) {
    throw invalid("jwks", `jwks cannot be used: ${(error as Error).message}`, { fix: "send a JWK Set (RFC 7517)" });
  }
}

function requireAudiences({ audiences, tenant }: Issuer): void {
  if (audiences.length === 0) {
    throw invalid("audiences", "the issuer has no audience", {
      fix: `name one, such as ${AUDIENCE_OF_TENANT}${tenant}`,
    });
  }
  const foreign = audiences.find(
    (audience) => audience.startsWith(AUDIENCE_OF_TENANT) && audience !== `${AUDIENCE_OF_TENANT}${tenant}`,
  );
  if (foreign !== undefined) {
    throw invalid("audiences", `the audience ${foreign} is another tenant's`, {
      fix: `use ${AUDIENCE_OF_TENANT}${tenant}, or one that does not begin with ${AUDIENCE_OF_TENANT}`,
    });
  }
}

function requireProfile({ profile, use, issuer, jwks, jwksUri, claims }: Issuer, loopback: boolean): void {
  if (profile !== "oidc" && (claims.subject !== undefined || claims.groups !== undefined)) {
    throw invalid("claims", `the profile ${profile} says itself which claims count`, {
      fix: "leave subject and groups out",
    });
  }
  if (use === "people" && profile !== "oidc") {
    throw invalid("profile", `the tokens of the profile ${profile} are of workloads, not of people`, {
      fix: "send the profile oidc",
    });
  }
  if (profile === "spiffe") {
    if (parseSpiffeId(issuer)?.path !== "") {
      throw invalid("issuer", "the issuer must be the id of a trust domain", {
        fix: "write it like spiffe://example.org",
      });
    }
    if (!jwks && jwksUri === undefined) {
      throw invalid("jwks_uri", "a trust domain has no discovery document", { fix: "send jwks_uri or jwks" });
    }
  }
  if (jwksUri !== undefined) requireUrl(jwksUri, "jwks_uri", loopback);
  else if (!jwks) requireUrl(issuer, "issuer", loopback);
}

/** Refuses an issuer that could be believed by mistake. `loopback`: whether its keys may come from this machine. */
export function checkIssuer(issuer: Issuer, { issuers }: Pick<Trust, "issuers">, loopback: boolean): void {
  requireName(issuer.name);
  if (issuer.name === CERTIFICATES) {
    throw invalid("name", `the name ${CERTIFICATES} stands for certificates`, { fix: "choose another" });
  }
  if (issuer.issuer === OURS) throw invalid("issuer", "tokens of this service prove sessions, not callers");
  requireAudiences(issuer);
  requireProfile(issuer, loopback);
  requireKeys(issuer);
  const others = issuers.filter(({ name }) => name !== issuer.name);
  if (others.length >= limits.issuersMax) {
    throw new Fault("exhausted", "quota_exceeded", `the tenant may trust no more than ${limits.issuersMax} issuers`, {
      limit: `${limits.issuersMax} issuers`,
      fix: "remove some that are not needed",
    });
  }
  const twin = others.find(
    ({ use, principalPrefix }) => use === "principals" && principalPrefix === issuer.principalPrefix,
  );
  if (issuer.use === "principals" && twin) {
    throw invalid("principal_prefix", `principals of ${twin.name} have the same prefix`, {
      fix: "give each issuer of principals a prefix of its own, so that no two name the same principal",
    });
  }
}

/** Refuses a binding of more agents than the tenant's may name together, unless it names no more than before. */
function requireRoomForAgents(binding: Binding, held: Binding | undefined, others: readonly Binding[]): void {
  const most = limits.bindingAgentsMax;
  const all = others.reduce((sum, { agents }) => sum + agents.length, binding.agents.length);
  if (all <= most || binding.agents.length <= (held?.agents.length ?? 0)) return;
  throw new Fault(
    "exhausted",
    "quota_exceeded",
    `the tenant's bindings may name no more than ${most} agents together`,
    {
      field: "agents",
      limit: `${most} agents`,
      fix: "name agents by a glob, such as clerk-*",
    },
  );
}

/** Refuses a binding that means nobody, or somebody whom no issuer proves. */
export function checkBinding(binding: Binding, { issuers, bindings }: Pick<Trust, "issuers" | "bindings">): void {
  requireName(binding.name);
  const issuer = issuers.find(({ name }) => name === binding.issuer);
  if (!issuer && binding.issuer !== CERTIFICATES) {
    throw new Fault("missing", "issuer_unknown", `there is no issuer ${binding.issuer}`, {
      field: "issuer",
      fix: `name one of \`remit issuers list\`, or ${CERTIFICATES} for certificates`,
    });
  }
  if (issuer?.use === "principals") {
    throw invalid("issuer", `the tokens of ${issuer.name} say for whom a session is, not who calls`, {
      fix: "name an issuer of workloads or people",
    });
  }
  if (binding.subject === undefined && binding.group === undefined) {
    throw invalid("subject", "the binding means nobody", { fix: "name a subject, a group, or both; ** is everybody" });
  }
  if (binding.group !== undefined && (binding.issuer === CERTIFICATES || issuer?.profile === "spiffe")) {
    throw invalid("group", "SPIFFE ids are in no group", { fix: "name a subject" });
  }
  const others = bindings.filter(({ name }) => name !== binding.name);
  requireRoomForAgents(
    binding,
    bindings.find(({ name }) => name === binding.name),
    others,
  );
  if (others.length < limits.bindingsMax) return;
  throw new Fault("exhausted", "quota_exceeded", `the tenant may have no more than ${limits.bindingsMax} bindings`, {
    limit: `${limits.bindingsMax} bindings`,
    fix: "remove some that are not needed",
  });
}
