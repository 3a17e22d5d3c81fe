import type { JsonObject } from "../foundation/canonical.ts";
import type { Person } from "./caller.ts";
import { JwtRefused } from "./jwt-refused.ts";
import type { Issuer } from "./trust.ts";

const refuse = (message: string): never => {
  throw new JwtRefused("invalid", message);
};

const SHOWN_CHARS_MAX = 256;
const UNSEEN = /\p{C}/gu;

/** A claim that is shown to others and proves nothing: what does not fit is left out, not refused. */
function shown(value: unknown): string {
  return typeof value === "string" ? value.replace(UNSEEN, "").slice(0, SHOWN_CHARS_MAX).toWellFormed() : "";
}

/**
 * Reads a person's token, whose signature, issuer and expiry were checked: it must be an ID token that was issued to a
 * client of the service and to nobody else (OpenID Connect Core 1.0, section 3.1.3.7, steps 3 to 5), and say when. Its
 * nonce was the client's to compare: it alone knows what it sent. Throws `JwtRefused`.
 */
export function personFrom({ typ }: JsonObject, payload: JsonObject, { name, audiences }: Issuer): Person {
  const { aud, azp, iat, email, name: displayName, preferred_username: username } = payload;
  if (typeof typ === "string" && typ.toLowerCase() !== "jwt") {
    refuse(`a token of type ${JSON.stringify(typ)} proves no person: send the ID token that a login gave`);
  }
  const all = Array.isArray(aud) ? aud : [aud];
  const foreign = all.find((one) => typeof one !== "string" || !audiences.includes(one));
  if (foreign !== undefined)
    refuse(`the token is also for ${JSON.stringify(foreign)}, which is no client of ${name} here`);
  if (all.length > 1 && azp === undefined)
    refuse("the token is for several clients and does not say whose it is (azp)");
  if (azp !== undefined && !(typeof azp === "string" && audiences.includes(azp))) {
    refuse("the token was issued to another client (azp)");
  }
  if (typeof iat !== "number") refuse("the token does not say when it was issued (iat)");
  return { displayName: shown(displayName) || shown(username), email: shown(email) };
}
