import type { ReasonRow } from "./reason-row.ts";

/** Of `reasons.ts`: what callers may not do, and why somebody is not believed whom another vouches for. */
export const callerReasons = {
  agent_not_bound: {
    kinds: ["forbidden"],
    means: "This caller may not act for that agent, or not any more.",
    todo: "Use a key that was made for the agent, or ask an owner for a binding.",
    since: "0.1",
  },
  principal_not_assertable: {
    kinds: ["forbidden"],
    means: "This caller may not say on whose behalf it acts.",
    todo: "Use a key that may assert principals, or leave the principal out.",
    since: "0.1",
  },
  caller_unknown: {
    kinds: ["missing"],
    means: "There is no such caller.",
    todo: "List the callers.",
    since: "0.1",
  },
  caller_not_bound: {
    kinds: ["forbidden"],
    means: "The caller's token or certificate is true, and no binding of the tenant gives it any right.",
    todo: "Ask an owner for a binding.",
    since: "0.1",
  },
  actor_not_meant: {
    kinds: ["forbidden"],
    means: "The subject token names who may act for its subject, and it is not this caller.",
    todo: "Send it by the actor that its may_act names.",
    since: "0.1",
  },
  issuer_unavailable: {
    kinds: ["unavailable"],
    means: "The keys of the token's issuer cannot be read, or not again so soon, so nobody can say whether it is true.",
    todo: "Ask again; if it lasts, see whether the service reaches its issuer.",
    since: "0.1",
  },
  issuer_unknown: {
    kinds: ["missing"],
    means: "The tenant trusts no issuer of that name.",
    todo: "List the issuers.",
    since: "0.1",
  },
  binding_unknown: {
    kinds: ["missing"],
    means: "The tenant has no binding of that name.",
    todo: "List the bindings.",
    since: "0.1",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;
