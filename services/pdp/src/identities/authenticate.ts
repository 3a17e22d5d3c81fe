import { Fault } from "../foundation/fault.ts";
import type { Caller } from "./caller.ts";
import { CERTIFICATES, type Credentials } from "./evidence.ts";
import type { Loaded } from "./identity-store.ts";
import { notBound } from "./proven.ts";

/** A caller that was found, at once where nothing had to be waited for. */
type Found = Loaded<Caller> | Promise<Loaded<Caller>>;

/** Finds out who calls. Throws a Fault: nobody is anonymous. `anew`: from the store, whatever is remembered. */
export type Authenticate = (credentials: Credentials, anew: boolean) => Found;

function disagree(spiffeId: string): Fault {
  const message = `the certificate is ${spiffeId}'s, and what the authorization header holds is another tenant's`;
  return new Fault("unauthenticated", "credentials_disagree", message, {
    field: "authorization",
    fix: "send one of the two",
  });
}

/**
 * Who calls, by what is hardest to steal: a certificate that is bound to something, then what the header holds. A
 * workload that a mesh gives a certificate which nobody bound still has its token or key. Whatever is sent must hold:
 * a header that proves nothing, or somebody of another tenant, is refused beside the best certificate.
 */
export function createAuthenticate(by: {
  readonly certificate: (spiffeId: string, anew: boolean) => Promise<Loaded<Caller> | null>;
  readonly token: (authorization: string, anew: boolean) => Found;
  readonly key: (authorization: string | undefined, anew: boolean) => Found;
}): Authenticate {
  const { certificate, token, key } = by;
  // A token has dots between its parts; no key of ours has one.
  const header = (authorization: string | undefined, anew: boolean) =>
    authorization?.includes(".") ? token(authorization, anew) : key(authorization, anew);
  const withCertificate = async (
    certified: () => string | undefined,
    authorization: string | undefined,
    anew: boolean,
  ) => {
    const spiffeId = certified();
    if (spiffeId === undefined) return header(authorization, anew);
    const found = await certificate(spiffeId, anew);
    const alone = authorization === undefined || authorization === "";
    if (found && alone) return found;
    if (alone) throw notBound({ source: CERTIFICATES, subject: spiffeId });
    const other = await header(authorization, anew);
    if (found && found.row.tenant !== other.row.tenant) throw disagree(spiffeId);
    return found ?? other;
  };
  return ({ authorization, certified }, anew) =>
    certified === undefined ? header(authorization, anew) : withCertificate(certified, authorization, anew);
}
