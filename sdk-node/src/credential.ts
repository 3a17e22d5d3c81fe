import { readFile } from "node:fs/promises";
import { RemitError } from "./errors.ts";
import { transportError } from "./rpc-error.ts";
import type { Timers } from "./timers.ts";

/** Where a token of an issuer comes from: a function that answers one, or a file in which one is renewed. */
export type TokenSource = (() => string | Promise<string>) | { readonly file: string };

/** What says who this process is. */
export interface Credential {
  /** The `authorization` header, undefined where a certificate says who calls; a promise while a token is fetched. */
  header(): string | undefined | Promise<string | undefined>;
  /**
   * Remit did not take a call that went with this header. Answers whether the next use brings, or may fetch, another: of
   * calls that were refused together for one token the first has it fetched anew, and the others go by what came of that.
   */
  refused(header: string | undefined): boolean;
  /** How long what is held will do, milliseconds; undefined where nobody knows. */
  leftMs(): number | undefined;
}

/** What a token that does not say when it ends is used for, milliseconds. */
const OPAQUE_MS = 60_000;
/** A token is renewed when so much of its life is left, and no earlier than so long before its end. */
const LAST_PART = 0.1;
const LAST_MS = 30_000;
/** A token that was refused is not fetched anew more often than this, milliseconds. */
const REFUSED_EVERY_MS = 1_000;

/** When a JWT ends, milliseconds since 1970; undefined for what is none or does not say. Nothing of it is believed. */
function expiryOf(token: string): number | undefined {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const { exp } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { readonly exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

const constant = (key: string): Credential => ({
  header: () => (key === "" ? undefined : `Bearer ${key}`),
  refused: () => false,
  leftMs: () => undefined,
});

function renewed(source: TokenSource, timers: Timers): Credential {
  let held: { readonly header: string; readonly untilMs: number; readonly endMs: number } | undefined;
  let under: Promise<string> | undefined;
  let refusedMs = Number.NEGATIVE_INFINITY;

  const fetched = async (): Promise<string> => {
    const text = typeof source === "function" ? await source() : await readFile(source.file, "utf8");
    const token = text.trim();
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("what was answered is no token");
    const nowMs = timers.wallMs();
    const endMs = expiryOf(token) ?? Number.POSITIVE_INFINITY;
    const lifeMs = endMs - nowMs;
    const untilMs =
      endMs === Number.POSITIVE_INFINITY ? nowMs + OPAQUE_MS : endMs - Math.min(LAST_MS, lifeMs * LAST_PART);
    held = { header: `Bearer ${token}`, untilMs, endMs };
    return held.header;
  };
  const fetchOnce = (): Promise<string> => {
    under ??= fetched()
      .catch((cause: unknown) => {
        // What is held still does: its source has until its end to come back.
        if (held && timers.wallMs() < held.endMs) return held.header;
        throw cause instanceof RemitError ? cause : transportError("there is no token to speak to Remit with", cause);
      })
      .finally(() => {
        under = undefined;
      });
    return under;
  };
  return {
    header: () => (held && timers.wallMs() < held.untilMs ? held.header : fetchOnce()),
    refused(header) {
      // It was renewed since this call was sent, or is being fetched now.
      if (held?.header !== header) return true;
      const nowMs = timers.monotonicMs();
      if (nowMs - refusedMs < REFUSED_EVERY_MS) return false;
      refusedMs = nowMs;
      held = undefined;
      return true;
    },
    leftMs: () => (held && held.endMs !== Number.POSITIVE_INFINITY ? held.untilMs - timers.wallMs() : undefined),
  };
}

/** A key for ever, or tokens that are fetched before they end and when one is refused. */
export function createCredential(key: string, source: TokenSource | undefined, timers: Timers): Credential {
  return source === undefined ? constant(key) : renewed(source, timers);
}
