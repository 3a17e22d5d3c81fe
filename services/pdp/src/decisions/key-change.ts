import type { Wrapped } from "../foundation/key-wrap.ts";
import type { StoredSigningKey } from "../identities/index.ts";

/** A secret under another wrapping key: `was` names the one before. */
export interface Rewrapped {
  /** Of a signing key its name, of a data key its UUID. */
  readonly id: string;
  readonly was: string;
  readonly wrapped: Wrapped;
}

/** What an operator, or the service itself, does with the keys of the cell. */
export type KeyChange =
  | {
      readonly kind: "signing_key_rotated";
      readonly made: StoredSigningKey;
      /** The keys that lived before; with others there it is refused. */
      readonly living: readonly string[];
      readonly retired: readonly string[];
      /** Whether tokens that may still be used were signed by what is retired: they stop everywhere at once. */
      readonly atOnce: boolean;
    }
  | { readonly kind: "signing_key_retired"; readonly kid: string }
  | { readonly kind: "keys_rewrapped"; readonly signing: readonly Rewrapped[]; readonly data: readonly Rewrapped[] }
  | { readonly kind: "sealing_enabled" }
  | { readonly kind: "tenant_erased"; readonly tenant: string; readonly huskId: string };

/** What an entry says of it. Never a key, wrapped or not. */
export function toldOfKeys(change: KeyChange): object {
  switch (change.kind) {
    case "signing_key_rotated": {
      const { made, retired, atOnce } = change;
      return { kid: made.kid, public_jwk: made.publicJwk, retired, at_once: atOnce };
    }
    case "signing_key_retired":
      return { kid: change.kid };
    case "keys_rewrapped": {
      const told = ({ id, was, wrapped }: Rewrapped) => ({ id, was: was, by: wrapped.by });
      return { signing_keys: change.signing.map(told), data_keys: change.data.map(told) };
    }
    case "sealing_enabled":
      return {};
    case "tenant_erased":
      return { tenant: change.tenant };
  }
}
