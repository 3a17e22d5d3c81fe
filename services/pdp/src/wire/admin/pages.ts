import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { Named } from "../../foundation/name-index.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import { PIECE_WEIGHT_MAX } from "../../foundation/weight.ts";
import type { DocumentKind, Snapshot } from "../../policies/index.ts";
import { storedText } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

/** What a request says of pages. */
interface Paged {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** One page of a list, as a request asks for it. */
interface PageAsked<Place> {
  /** Where the page before ended; undefined: from the beginning. */
  readonly after: Place | undefined;
  /** Items of it. To see whether there are others, one more is read. */
  readonly most: number;
  /** Whether whoever asks takes the answer for all there is, since it says nothing of pages. */
  readonly whole: boolean;
}

/** Which page a request asks for; `placeOf` reads what a page before answered. */
export function pageAsked<Place>({ pageSize, pageToken }: Paged, placeOf: (token: string) => Place): PageAsked<Place> {
  const most = Math.min(pageSize || limits.registeredListedMax, limits.registeredListedMax);
  const after = pageToken === "" ? undefined : placeOf(pageToken);
  return { after, most, whole: pageSize === 0 && pageToken === "" };
}

/** The name that a page ended with is the token for the next one. */
export const namedToken = (token: string): string => storedText(token, "page_token", limits.toolNameBytesMax);

const VALUE_BYTES = 16;

/** What a value takes to encode: the bytes of its texts, and some for each value. Of what is over `most` only that. */
function weightOf(value: unknown, most: number): number {
  if (typeof value === "string") return VALUE_BYTES + (value.length > most ? value.length : Buffer.byteLength(value));
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  let weight = VALUE_BYTES;
  const members = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [name, held] of members) {
    weight += (typeof name === "number" || held === "" ? 0 : name.length) + weightOf(held, most - weight);
    if (weight > most) return weight;
  }
  return weight;
}

/** Items that are converted between two turns, and no more than make a piece. */
const AT_ONCE_MAX = 50;

function tooMuch(): Error {
  const limit = `${limits.registeredListedMax} entries, or ${limits.registeredListedBytesMax} bytes`;
  return invalid("page_size", "there is more than one page holds, and the request says nothing of pages", {
    ...{ limit, fix: "send page_size, and page_token as answered until next_page_token is empty" },
  });
}

/**
 * A page of rows that are there in the order of their tokens, one more than asked for where there are others: as many as
 * the limits of an answer allow, one at least. What `toWire` knows nothing of is left out: it has gone meanwhile. The
 * token is of the last row that was looked at, so that each row is looked at once by whoever walks on, whatever comes and
 * goes meanwhile. Converts in slices, and answers in a turn of its own.
 */
export async function pageOf<Row, Wire extends object>(
  { most, whole }: Pick<PageAsked<unknown>, "most" | "whole">,
  rows: readonly Row[],
  by: {
    readonly token: (row: Row) => string;
    readonly toWire: (row: Row) => Wire | undefined | Promise<Wire | undefined>;
    /** Whether there are others behind what was read. */
    readonly more?: boolean;
  },
): Promise<{ items: Wire[]; nextPageToken: string }> {
  const items: Wire[] = [];
  let weight = 0;
  let looked = 0;
  let since = 0;
  for (const row of rows.slice(0, most)) {
    const item = await by.toWire(row);
    const more = item ? weightOf(item, limits.registeredListedBytesMax - weight) : 0;
    weight += more;
    since += more;
    if (items.length > 0 && weight > limits.registeredListedBytesMax) break;
    if (item) items.push(item);
    if (++looked % AT_ONCE_MAX !== 0 && since < PIECE_WEIGHT_MAX) continue;
    since = 0;
    await turnOfTheLoop();
  }
  const last = looked < rows.length || by.more ? rows[looked - 1] : undefined;
  if (last !== undefined && whole) throw tooMuch();
  await turnOfTheLoop();
  return { items, nextPageToken: last === undefined ? "" : by.token(last) };
}

/**
 * A page of documents by name: which there are now is the store's word, what they say is what this replica decides by.
 * What it has not heard of yet is left out. `with` is read for the names of the page.
 */
export async function documentPage<Held, Wire extends object, With = undefined>(
  { policies, snapshots }: Pick<AdminDesk, "policies" | "snapshots">,
  tenant: string,
  kind: DocumentKind,
  request: Paged,
  by: {
    readonly held: (snapshot: Snapshot) => Named<Held>;
    readonly with?: (names: readonly string[]) => Promise<With>;
    readonly toWire: (held: Held, beside: With | undefined) => Wire | Promise<Wire>;
  },
): Promise<{ items: Wire[]; nextPageToken: string }> {
  const asked = pageAsked(request, namedToken);
  const names = await policies.names(tenant, kind, asked.after, asked.most + 1);
  const held = by.held(await snapshots.current(tenant));
  const beside = await by.with?.(names);
  const toWire = (name: string) => {
    const one = held.get(name);
    return one === undefined ? undefined : by.toWire(one, beside);
  };
  return pageOf(asked, names, { token: (name) => name, toWire });
}
