import { Fault } from "../foundation/fault.ts";

/** Why a token is not believed: it never will be, its time has run out, or nobody can say just now. */
export class JwtRefused extends Error {
  readonly why: "invalid" | "expired" | "away";

  constructor(why: JwtRefused["why"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "JwtRefused";
    this.why = why;
  }
}

const FIXES = {
  invalid: "send a token that was issued for this service",
  expired: "fetch a new token from its issuer",
  away: "ask again; if it lasts, check that the service reaches the issuer's keys",
} as const;

/** What the sender of a token is told. `field` is where it was sent. */
export function faultOf(field: "authorization" | "subject_token", error: unknown): unknown {
  if (!(error instanceof JwtRefused)) return error;
  const { why, message } = error;
  const detail = { field, fix: FIXES[why] };
  if (why === "away") return new Fault("unavailable", "issuer_unavailable", message, detail, error);
  return new Fault("unauthenticated", why === "expired" ? "token_expired" : "token_invalid", message, detail, error);
}
