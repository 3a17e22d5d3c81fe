import { type Answer, type Known, odd, Time } from "./values.ts";

/** What a zone's clock and calendar show. */
export interface Clock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Monday is 1, Sunday is 7. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly ms: number;
}

const weekdays = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const formats = new Map<string, Intl.DateTimeFormat | undefined>();

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(zone)) formats.set(zone, newFormat(zone));
  return formats.get(zone);
}

/** The platform's own clock face for `UTC`, an offset or a name; abbreviations have no part before a slash. */
function newFormat(zone: string): Intl.DateTimeFormat | undefined {
  const isOffset = zone.includes(":");
  if (!isOffset && zone !== "UTC" && !zone.includes("/")) return undefined;
  return anyFormat(isOffset && zone[0] !== "+" && zone[0] !== "-" ? `+${zone}` : zone);
}

function anyFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
      timeZone,
      hourCycle: "h23",
      weekday: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      fractionalSecondDigits: 3,
    });
  } catch {
    return undefined;
  }
}

const winterOffsets = new Map([
  ["Europe/Berlin", "+01:00"],
  ["America/New_York", "-05:00"],
]);

/** The clock of a zone at a time since 1970; undefined if there is no such zone. */
export function clockAt(ns: bigint, zone: string, flaw?: string): Clock | undefined {
  const format = flaw === "abbreviated-zones-count" ? anyFormat(zone) : formatOf(zone);
  if (!format) return undefined;
  const ms = Number((ns - (((ns % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
  const winter = flaw === "zones-know-no-summer" ? winterOffsets.get(zone) : undefined;
  if (winter !== undefined) return clockAt(ns, winter);
  const shown = new Map(format.formatToParts(ms).map(({ type, value }) => [type as string, value]));
  const number = (type: string) => Number(shown.get(type));
  return {
    year: number("year"),
    month: number("month"),
    day: number("day"),
    weekday: weekdays.indexOf(shown.get("weekday") ?? ""),
    hour: number("hour"),
    minute: number("minute"),
    ms: number("second") * 1000 + number("fractionalSecond"),
  };
}

function clockOf(time: Known | undefined, zone: Known | undefined, flaw: string | undefined): Clock | undefined {
  return time instanceof Time && typeof zone === "string" ? clockAt(time.ns, zone, flaw) : undefined;
}

export function timeWeekday([time, zone]: readonly Known[], flaw: string | undefined): Answer {
  const clock = clockOf(time, zone, flaw);
  return clock ? BigInt(flaw === "weeks-begin-on-sunday" ? (clock.weekday % 7) + 1 : clock.weekday) : odd;
}

function dayMs({ hour, minute, ms }: Clock): number {
  return (hour * 60 + minute) * 60_000 + ms;
}

export function timeHours([time, zone]: readonly Known[], flaw: string | undefined): Answer {
  const clock = clockOf(time, zone, flaw);
  return clock ? dayMs(clock) / 3_600_000 : odd;
}

/** Every time of day as it is written, `00:00` to `24:00`, with its minutes. */
const timesOfDay = new Map(
  Array.from({ length: 24 * 60 + 1 }, (_, minutes) => {
    const parts = [Math.floor(minutes / 60), minutes % 60].map((one) => `${one}`.padStart(2, "0"));
    return [parts.join(":"), minutes] as const;
  }),
);

export function timeBetween([time, from, to, zone]: readonly Known[], flaw: string | undefined): Answer {
  const clock = clockOf(time, zone, flaw);
  const [first, last] = [from, to].map((text) => timesOfDay.get(text as string));
  if (!clock || first === undefined || last === undefined || first === last) return odd;
  const [since, until] = [dayMs(clock) >= first * 60_000, dayMs(clock) < last * 60_000];
  if (first < last) return since && until;
  return flaw === "nights-are-empty" ? false : since || until;
}
