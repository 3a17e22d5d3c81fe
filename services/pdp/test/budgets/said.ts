import type { NewRecord } from "../../src/ledger/index.ts";

interface Amount {
  readonly account: string;
  readonly unit: string;
  /** A decimal. */
  readonly amount: string;
}

export interface Covering {
  readonly budget: string;
  readonly key?: string;
  readonly unit: string;
  /** Of what a session was given. */
  readonly account?: string;
}

/** What of a record's entry is looked at here. */
export interface Said {
  readonly effect?: string;
  readonly mode?: "enforced" | "observed";
  readonly reason?: { readonly code: string };
  readonly tool?: string;
  readonly call?: { readonly id: string };
  readonly outcome?: string;
  readonly decision?: string;
  /** Of a report, where it names its call and not a decision. */
  readonly call_id?: string;
  /** What an operator said of a hold. */
  readonly as?: "spent" | "released";
  readonly actual?: readonly { readonly unit: string; readonly value: string }[];
  /** What would be held, were the call not only watched. */
  readonly would_hold?: readonly Amount[];
  /** What covers a call in units in which its tool says that it costs nothing. */
  readonly covered_by?: readonly Covering[];
  /** The accounts that a report settles, the narrowest first. */
  readonly settled?: readonly Pick<Amount, "account">[];
  /** The report comes after the expiry. */
  readonly corrects?: boolean;
}

/** At the end of an id under which the same call is asked a second time. */
export const SAME_CALL = "~";

/** The call that a decision is about, whatever id it was asked under. */
export const callOf = ({ call }: Said): string => (call?.id ?? "").replace(SAME_CALL, "");

const texts = new TextDecoder();
const read = new WeakMap<Uint8Array, Said>();

/** What a record says: its entry, parsed once. */
export function saidBy({ body }: Pick<NewRecord, "body">): Said {
  const known = read.get(body);
  if (known) return known;
  const said = JSON.parse(texts.decode(body)) as Said;
  read.set(body, said);
  return said;
}

/** A decimal as millionths. */
export function microsOf(value: string): bigint {
  const [whole = "0", fraction = ""] = value.split(".");
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
}
