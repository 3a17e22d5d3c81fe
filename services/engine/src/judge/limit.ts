import { absoluteParts, liesIn } from "../cel/paths.ts";
import { compareDecimals, type Decimal, decimalOfNumber, decimalOfText } from "../decimal.ts";
import type { JsonValue } from "../json.ts";
import { memberTest } from "./members.ts";

/** A limit on one argument of the tools a glob names. Compared exactly; exactly one limit a bound. */
export interface Bound {
  readonly tool: string;
  /** `input.amount`, `input.to.country`; `*` is every item of a list, of which there must be one: `input.items.*.price`. */
  readonly path: string;
  /** A number bounds numbers. A decimal written as text bounds decimals written as text, and numbers, digit for digit. */
  readonly max?: number | string;
  readonly min?: number | string;
  readonly in?: readonly (string | number | boolean)[];
  /**
   * Of text. One that begins with `/` is a directory: what climbs out of it is outside. So is what climbs (`..`) behind a
   * beginning that has a `/` in it, as a URL has: whoever reads it ends up elsewhere.
   */
  readonly prefix?: string;
  /** A literal, or the reference `principal.id`. */
  readonly equals?: string | number | boolean;
}

/** The names of a bound's limits, of which it has one. */
export const limitNames = ["max", "min", "in", "prefix", "equals"] as const;
export type LimitName = (typeof limitNames)[number];

/** What `equals` refers to rather than says. */
const PRINCIPAL_ID = "principal.id";

/** Whether an argument is within the limit of a bound. Where nothing has to be read first, one function serves all bounds. */
export type LimitTest = (value: JsonValue, principal: string, bound: Bound) => boolean;

const never: LimitTest = () => false;
const mostNumber: LimitTest = (value, _, { max }) => typeof value === "number" && value <= Number(max);
const leastNumber: LimitTest = (value, _, { min }) => typeof value === "number" && value >= Number(min);
const samePrincipal: LimitTest = (value, principal) => value === principal;
const sameValue: LimitTest = (value, _, { equals }) => value === equals;
const atMost = (order: number) => order <= 0;
const atLeast = (order: number) => order >= 0;

export function limitOf(bound: Bound): LimitName | undefined {
  const given = limitNames.filter((name) => bound[name] !== undefined);
  return given.length === 1 ? given[0] : undefined;
}

/** The test of a bound's limit. A bound that has none, or several, lets nothing pass. */
export function limitTest(bound: Bound): LimitTest {
  switch (limitOf(bound)) {
    case "max":
      return typeof bound.max === "number" ? mostNumber : decimalTest(bound.max, atMost);
    case "min":
      return typeof bound.min === "number" ? leastNumber : decimalTest(bound.min, atLeast);
    case "in":
      return memberTest(bound.in ?? []);
    case "prefix":
      return prefixTest(bound.prefix ?? "");
    case "equals":
      return bound.equals === PRINCIPAL_ID ? samePrincipal : sameValue;
    default:
      return never;
  }
}

function decimalTest(limit: string | undefined, holds: (order: number) => boolean): LimitTest {
  const most = limit === undefined ? undefined : decimalOfText(limit);
  if (!most) return never;
  return (value) => {
    const decimal = decimalOf(value);
    return decimal !== undefined && holds(compareDecimals(decimal, most));
  };
}

function decimalOf(value: JsonValue): Decimal | undefined {
  if (typeof value === "string") return decimalOfText(value);
  return typeof value === "number" ? decimalOfNumber(value) : undefined;
}

// A part that is `..`, between slashes of either kind or before parameters (`..;`), each escaped once, more often or not at
// all; and the characters that readers of URLs leave out of such a part.
const climbs = /[\t\r\n]|(?:^|[/\\]|%(?:25)*(?:2f|5c))(?:\.|%(?:25)*2e){2}(?:$|[/\\?#;]|%(?:25)*(?:2f|5c|3b))/i;

function prefixTest(prefix: string): LimitTest {
  if (!prefix.startsWith("/")) {
    const leads = prefix.includes("/") ? climbs : undefined;
    return (value) => typeof value === "string" && value.startsWith(prefix) && !leads?.test(value);
  }
  const directory = absoluteParts(prefix);
  if (!directory) return never;
  return (value) => {
    const path = typeof value === "string" ? absoluteParts(value) : undefined;
    return path !== undefined && liesIn(path, directory);
  };
}

/** Words for what a bound lets pass: `at most 500`, `one of a, b`. */
export function allowedBy({ max, min, in: members, prefix, equals }: Bound): string {
  if (max !== undefined) return `at most ${max}`;
  if (min !== undefined) return `at least ${min}`;
  if (members !== undefined) return `one of ${members.join(", ")}`;
  if (prefix !== undefined) return prefix.startsWith("/") ? `within ${prefix}` : `begins with ${prefix}`;
  return `equals ${equals}`;
}

/** A limit, taken apart once for however many it is compared with. */
export interface ReadLimit {
  readonly bound: Bound;
  /** The values that it names one by one; undefined for those that let through what they do not name. */
  readonly literals: readonly JsonValue[] | "principal" | undefined;
  readonly decimal: Decimal | undefined;
  readonly directory: readonly string[] | undefined;
}

export function readLimit(bound: Bound, principal: string | undefined): ReadLimit {
  const limit = limitOf(bound);
  const literals = literalsOf(bound, limit, principal);
  const order = limit === "max" ? bound.max : limit === "min" ? bound.min : undefined;
  const directory = limit === "prefix" ? absoluteParts(bound.prefix ?? "") : undefined;
  return { bound, literals, decimal: order === undefined ? undefined : decimalOf(order), directory };
}

/**
 * Whether everything that a limit lets pass, `outer` does too, both being limits of one argument for one principal:
 * a test for many limits.
 */
export function limitWithin(outer: Bound, principal: string | undefined): (inner: ReadLimit) => boolean {
  const limit = limitOf(outer);
  const test = limitTest(outer);
  const read = readLimit(outer, principal);
  const others = othersWithin(limit, read);
  const ofPrincipal = limit === "equals" && outer.equals === PRINCIPAL_ID;
  return (inner) => {
    const { literals } = inner;
    // Principals that are not known here can be anybody: only the reference itself is as narrow as the reference.
    if (literals === "principal") return ofPrincipal;
    if (!literals) return others(inner);
    if (principal === undefined && outer.equals === PRINCIPAL_ID) return false;
    return literals.every((value) => test(value, principal ?? "", outer));
  };
}

/** The same of limits that name no values. */
function othersWithin(limit: LimitName | undefined, outer: ReadLimit): (inner: ReadLimit) => boolean {
  switch (limit) {
    case "max":
      return ({ bound, decimal }) =>
        bound.max !== undefined && orderWithin(bound.max, decimal, outer.bound.max, outer.decimal, atMost);
    case "min":
      return ({ bound, decimal }) =>
        bound.min !== undefined && orderWithin(bound.min, decimal, outer.bound.min, outer.decimal, atLeast);
    case "prefix":
      return (inner) => inner.bound.prefix !== undefined && prefixWithin(inner, outer);
    default:
      return () => false;
  }
}

function literalsOf(bound: Bound, limit: LimitName | undefined, principal: string | undefined): ReadLimit["literals"] {
  if (limit === "in") return bound.in;
  if (limit !== "equals") return undefined;
  if (bound.equals !== PRINCIPAL_ID) return [bound.equals as JsonValue];
  return principal === undefined ? "principal" : [principal];
}

function orderWithin(
  inner: number | string,
  one: Decimal | undefined,
  outer: number | string | undefined,
  other: Decimal | undefined,
  holds: (order: number) => boolean,
): boolean {
  // A number lets numbers pass alone; a text also texts, so no number is as wide.
  if (outer === undefined || (typeof inner === "string" && typeof outer === "number")) return false;
  if (typeof inner === "number" && typeof outer === "number") return holds(inner - outer);
  return one !== undefined && other !== undefined && holds(compareDecimals(one, other));
}

function prefixWithin(inner: ReadLimit, outer: ReadLimit): boolean {
  const [narrow = "", wide = ""] = [inner.bound.prefix, outer.bound.prefix];
  if (!wide.startsWith("/")) return !narrow.startsWith("/") && narrow.startsWith(wide);
  const [one, other] = [inner.directory, outer.directory];
  return one !== undefined && other !== undefined && liesIn(one, other);
}
