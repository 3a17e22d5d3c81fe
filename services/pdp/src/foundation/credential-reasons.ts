import type { ReasonRow } from "./reason-row.ts";

/** Why it is not believed who calls: rows of `reasons.ts`. */
export const credentialReasons = {
  token_invalid: {
    kinds: ["unauthenticated"],
    means: "The API key or the session's token is missing, malformed, unknown or revoked.",
    todo: "`field` says which of the two.",
    since: "0.1",
  },
  token_expired: {
    kinds: ["unauthenticated"],
    means: "The session's token has run out. For a day it still reports.",
    todo: "RenewSession, then ask again with the same call id.",
    since: "0.1",
  },
  certificate_invalid: {
    kinds: ["unauthenticated"],
    means: "The client certificate breaks the rules for SPIFFE ids, has run out, or is trusted no more.",
    todo: "Connect anew with a certificate that holds; the message says what is wrong.",
    since: "0.1",
  },
  credentials_disagree: {
    kinds: ["unauthenticated"],
    means: "The certificate and the authorization header prove callers of different tenants.",
    todo: "Send one of the two.",
    since: "0.1",
  },
  forwarded_certificate_refused: {
    kinds: ["unauthenticated"],
    means: "The header x-forwarded-client-cert is not from a proxy of the service, or not as one writes it.",
    todo: "Leave it out; behind a proxy, look at `meshIdentity` and `meshPeers` in docs/configuration.md.",
    since: "0.1",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;
