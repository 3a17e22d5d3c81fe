const final = new Set(["session_closed", "session_revoked", "delegation_expired"]);

/** Whether a session with this code is over for good. Whoever is suspended may be back. */
export function isFinal(code: string): boolean {
  return final.has(code);
}
