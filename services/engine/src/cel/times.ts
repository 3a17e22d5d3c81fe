import { parseTimestampNs } from "../instant.ts";
import { checkedDuration, checkedTimestamp } from "./arithmetic.ts";
import { Duration, Failure, type Outcome, type Timestamp } from "./value.ts";
import type { Zone } from "./zones.ts";

const unitNs: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

export function timestampFrom(text: string): Outcome {
  const ns = parseTimestampNs(text);
  return ns === undefined ? new Failure("error", "not an RFC 3339 timestamp") : checkedTimestamp(ns);
}

export const durationCharsMax = 64;

/** Reads CEL's durations: `1h30m`, `1.5s`, `-10ms`. */
export function durationFrom(text: string): Outcome {
  const notOne = new Failure("error", "not a duration such as 90s or 1h30m");
  if (text.length > durationCharsMax) return notOne;
  if (text === "0") return new Duration(0n);
  const whole = /^([-+]?)((?:\d{1,18}(?:\.\d{1,18})?(?:ns|us|ms|s|m|h))+)$/.exec(text);
  if (!whole) return notOne;
  let ns = 0n;
  for (const [, digits = "0", fraction = "", unit = "s"] of (whole[2] ?? "").matchAll(
    /(\d+)(?:\.(\d+))?(ns|us|ms|s|m|h)/g,
  )) {
    const size = unitNs[unit] ?? 0n;
    ns += BigInt(digits) * size + (BigInt(fraction || "0") * size) / 10n ** BigInt(fraction.length);
  }
  return checkedDuration(whole[1] === "-" ? -ns : ns);
}

export function timestampText(value: Timestamp): string {
  const [seconds, rest] = divideDown(value.ns, 1_000_000_000n);
  const fraction = rest === 0n ? "" : `.${rest.toString().padStart(9, "0").replace(/0+$/, "")}`;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

export function durationText(value: Duration): string {
  const sign = value.ns < 0n ? "-" : "";
  const ns = value.ns < 0n ? -value.ns : value.ns;
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${sign}${ns / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}s`;
}

function divideDown(value: bigint, by: bigint): [bigint, bigint] {
  const rest = ((value % by) + by) % by;
  return [(value - rest) / by, rest];
}

export type TimePart = (date: Date) => number;

/** The calendar parts of a timestamp, counted as CEL counts them: months, days of month and of year from 0. */
export const calendarParts: Readonly<Record<string, TimePart>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - yearStart(date)) / 86_400_000),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

function yearStart(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return start.getTime();
}

/** What a zone's clocks show at a time, in milliseconds as if it were UTC. */
export function localMs(value: Timestamp, zone: Zone): number {
  const [ms] = divideDown(value.ns, 1_000_000n);
  return Number(ms) + zone.offsetMs(Number(ms));
}

/** The parts of a duration that CEL's getters answer: each the whole duration in its unit, milliseconds aside. */
export function durationPart(name: string, value: Duration): bigint | undefined {
  switch (name) {
    case "getHours":
      return value.ns / 3_600_000_000_000n;
    case "getMinutes":
      return value.ns / 60_000_000_000n;
    case "getSeconds":
      return value.ns / 1_000_000_000n;
    case "getMilliseconds":
      return (value.ns / 1_000_000n) % 1000n;
    default:
      return undefined;
  }
}
