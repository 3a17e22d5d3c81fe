import type { Caller } from "./caller.ts";
import { CERTIFICATES, type Credentials } from "./evidence.ts";
import type { Loaded } from "./identity-store.ts";
import { notBound } from "./proven.ts";

/** Finds out who calls. Throws a Fault: nobody is anonymous. `anew`: from the store, whatever is remembered. */
export type Authenticate = (credentials: Credentials, anew: boolean) => Promise<Loaded<Caller>>;

/**
 * Who calls, by what is hardest to steal: a certificate that is bound to something, then what the header holds. A
 * workload that a mesh gives a certificate which nobody bound still has its token or key.
 */
export function createAuthenticate(by: {
  readonly certificate: (spiffeId: string, anew: boolean) => Promise<Loaded<Caller> | null>;
  readonly key: (authorization: string | undefined, anew: boolean) => Promise<Loaded<Caller>>;
}): Authenticate {
  const { certificate, key } = by;
  const withCertificate = async (spiffeId: string, authorization: string | undefined, anew: boolean) => {
    const found = await certificate(spiffeId, anew);
    if (found) return found;
    if (authorization === undefined || authorization === "") {
      throw notBound({ source: CERTIFICATES, subject: spiffeId });
    }
    return key(authorization, anew);
  };
  return ({ authorization, spiffeId }, anew) =>
    spiffeId === undefined ? key(authorization, anew) : withCertificate(spiffeId, authorization, anew);
}
