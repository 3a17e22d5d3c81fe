import { nearestName } from "../documents/nearest.ts";
import type { LiteralProblem } from "./function-table.ts";

/** A time zone: how far its clocks are ahead of UTC at a time. */
export interface Zone {
  /** In milliseconds, not a number if the platform does not say; `ms` is a time in milliseconds since 1970. */
  readonly offsetMs: (ms: number) => number;
}

const zonesMax = 64;
const slotsMax = 64;
const slotMs = 15 * 60_000;
const nameShape = /^[A-Za-z]{1,20}(?:\/[A-Za-z0-9_+-]{1,30}){1,2}$/;

const known = new Map<string, Zone>();

/**
 * The zone of a name: `UTC`, an offset such as `+02:00`, or a zone of the IANA database such as `Europe/Berlin`. Undefined
 * for anything else, abbreviations such as `EST` too: they know no summer time, or stand for several zones.
 */
export function zoneOf(name: string): Zone | undefined {
  const fixed = offsetMinutes(name);
  if (fixed !== undefined) return fixedZone(fixed);
  if (!nameShape.test(name)) return undefined;
  const key = name.toLowerCase();
  const zone = known.get(key) ?? namedZone(name);
  if (!zone || known.has(key)) return zone;
  const [oldest] = known.keys();
  if (known.size >= zonesMax && oldest !== undefined) known.delete(oldest);
  known.set(key, zone);
  return zone;
}

/** What is wrong with the name of a zone that is written in a condition. */
export function zoneProblem(name: string): LiteralProblem | undefined {
  if (zoneOf(name)) return undefined;
  return {
    message: `no time zone is called \`${name}\``,
    expected: "UTC, an offset such as +02:00, or a zone such as Europe/Berlin",
    nearest: nearestName(name, Intl.supportedValuesOf("timeZone")),
  };
}

function offsetMinutes(text: string): number | undefined {
  if (text === "UTC" || text === "Z") return 0;
  const parts = /^([+-]?)(\d\d):(\d\d)$/.exec(text);
  if (!parts || Number(parts[2]) > 23 || Number(parts[3]) > 59) return undefined;
  return (parts[1] === "-" ? -1 : 1) * (Number(parts[2]) * 60 + Number(parts[3]));
}

function fixedZone(minutes: number): Zone {
  const ms = minutes * 60_000;
  return { offsetMs: () => ms };
}

function namedZone(timeZone: string): Zone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  } catch {
    return undefined;
  }
  return { offsetMs: cached((ms) => readOffset(format, ms)) };
}

/**
 * Keeps offsets by quarters of an hour. A quarter in which the clocks are changed is not kept: there every time is asked
 * for anew. No zone has ever changed its clocks there and back within a quarter.
 */
function cached(offsetAt: (ms: number) => number): (ms: number) => number {
  const slots = new Map<number, number>();
  return (ms) => {
    const slot = Math.floor(ms / slotMs);
    const kept = slots.get(slot);
    if (kept !== undefined) return kept;
    const offset = offsetAt(slot * slotMs);
    if (offset !== offsetAt((slot + 1) * slotMs - 1)) return offsetAt(ms);
    if (slots.size >= slotsMax) slots.clear();
    slots.set(slot, offset);
    return offset;
  };
}

/** Reads `GMT+02:00`, `GMT-00:53:28` or `GMT`, as ECMA-402's long offsets are written; not a number for anything else. */
function readOffset(format: Intl.DateTimeFormat, ms: number): number {
  const text = format.formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const read = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (!read) return Number.NaN;
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = read;
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === "-" ? -size : size;
}
