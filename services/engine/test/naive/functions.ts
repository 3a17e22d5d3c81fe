import { ipWithin } from "./addresses.ts";
import { type Clock, clockAt, timeBetween, timeHours, timeWeekday } from "./clock.ts";
import { commandWords } from "./command.ts";
import { emailAddresses, emailDomain } from "./mail.ts";
import { amountOf } from "./money.ts";
import { pathBase, pathJoin, pathWithin, urlHost, urlPath, urlScheme } from "./paths-and-urls.ts";
import {
  type Answer,
  Dictionary,
  double,
  int,
  Kind,
  type Known,
  odd,
  Span,
  spanText,
  Time,
  timeText,
} from "./values.ts";

/** What a function or method answers on known values, its receiver first. */
export function callFunction(name: string, values: readonly Known[], flaw: string | undefined): Answer {
  const watched = Object.hasOwn(flawed, name) ? flawed[name] : undefined;
  if (watched) return watched(values, flaw);
  const named = Object.hasOwn(functions, name) ? functions[name] : undefined;
  return named ? named(...values) : odd;
}

type NaiveFunction = (...values: readonly Known[]) => Answer;

const onText = (answer: (text: string) => Answer) => (value: Known) =>
  typeof value === "string" ? answer(value) : odd;
const onTexts = (answer: (text: string, other: string) => Answer) => (value: Known, other: Known) =>
  typeof value === "string" && typeof other === "string" ? answer(value, other) : odd;

function size(value: Known): Answer {
  if (typeof value === "string") return BigInt([...value].length);
  if (Array.isArray(value)) return BigInt(value.length);
  return value instanceof Dictionary ? BigInt(value.entries.size) : odd;
}

function toInt(value: Known): Answer {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : odd;
  if (value instanceof Time) return value.ns / 1_000_000_000n;
  return typeof value === "string" && /^-?[0-9]{1,19}$/.test(value) ? int(BigInt(value)) : odd;
}

function toDouble(value: Known): Answer {
  if (typeof value === "bigint" || typeof value === "number") return Number(value);
  const decimal = /^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,3})?$/;
  return typeof value === "string" && decimal.test(value) ? double(Number.parseFloat(value)) : odd;
}

function toText(value: Known): Answer {
  if (value instanceof Time) return timeText(value.ns);
  if (value instanceof Span) return spanText(value.ns);
  return value === null || typeof value === "object" ? odd : `${value}`;
}

function kindOf(value: Known): Kind {
  if (value === null) return new Kind("null_type");
  if (Array.isArray(value)) return new Kind("list");
  if (value instanceof Dictionary) return new Kind("map");
  if (value instanceof Time) return new Kind("timestamp");
  if (value instanceof Span) return new Kind("duration");
  const names: Readonly<Record<string, string>> = {
    boolean: "bool",
    number: "double",
    bigint: "int",
    string: "string",
  };
  return new Kind(names[typeof value] ?? "type");
}

/** The generator's own spans: `90s`, `5m`, `1h30m`. */
function span(text: string): Answer {
  const seconds: Readonly<Record<string, bigint>> = { h: 3600n, m: 60n, s: 1n };
  let ns = 0n;
  for (const [, digits = "0", unit = "s"] of text.matchAll(/([0-9]+)([hms])/g)) {
    ns += BigInt(digits) * (seconds[unit] ?? 0n) * 1_000_000_000n;
  }
  return new Span(ns);
}

const timeShape = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?Z$/;

/** The generator's own times, to the millisecond of UTC; anything else is none. */
export function timeOf(text: string): Answer {
  const ms = timeShape.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? odd : new Time(BigInt(ms) * 1_000_000n);
}

/** A part of a time, as the clocks of a zone show it. */
function part(read: (clock: Clock) => number) {
  return (value: Known, zone: Known = "UTC"): Answer => {
    const clock = value instanceof Time && typeof zone === "string" ? clockAt(value.ns, zone) : undefined;
    return clock ? BigInt(read(clock)) : odd;
  };
}

/** What a planted flaw can be in. */
const flawed: Readonly<Record<string, (values: readonly Known[], flaw: string | undefined) => Answer>> = {
  amount: amountOf,
  "ip.within": ipWithin,
  "time.weekday": timeWeekday,
  "time.hours": timeHours,
  "time.between": timeBetween,
  "email.addresses": emailAddresses,
  "email.domain": emailDomain,
  argv: commandWords,
};

const functions: Readonly<Record<string, NaiveFunction>> = {
  size,
  int: toInt,
  double: toDouble,
  string: toText,
  bool: (value) => {
    if (typeof value === "boolean") return value;
    const [yes, no] = [/^(1|t|true|True|TRUE)$/, /^(0|f|false|False|FALSE)$/];
    return typeof value !== "string" ? odd : yes.test(value) ? true : no.test(value) ? false : odd;
  },
  type: kindOf,
  dyn: (value) => value,
  timestamp: (value) => (typeof value === "bigint" ? new Time(value * 1_000_000_000n) : onText(timeOf)(value)),
  duration: onText(span),
  startsWith: onTexts((text, start) => text.slice(0, start.length) === start),
  endsWith: onTexts((text, end) => end === "" || text.slice(-end.length) === end),
  contains: onTexts((text, part) => text.split(part).length > 1 || part === ""),
  matches: onTexts((text, pattern) => new RegExp(pattern, "u").test(text)),
  lowerAscii: onText((text) => text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32))),
  upperAscii: onText((text) => text.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 32))),
  trim: onText((text) => text.replace(/^\s+|\s+$/g, "")),
  split: onTexts((text, separator) => (separator === "" ? [...text] : text.split(separator))),
  join: (parts, separator = "") => {
    if (!Array.isArray(parts) || typeof separator !== "string") return odd;
    if (!parts.every((one) => typeof one === "string")) return odd;
    return parts.reduce<string>((text, one, index) => `${text}${index === 0 ? "" : separator}${one}`, "");
  },
  getHours: part(({ hour }) => hour),
  getMinutes: part(({ minute }) => minute),
  getDayOfWeek: part(({ weekday }) => weekday % 7),
  getFullYear: part(({ year }) => year),
  getMonth: part(({ month }) => month - 1),
  getDate: part(({ day }) => day),
  "path.within": onTexts(pathWithin),
  "path.join": onTexts(pathJoin),
  "path.base": onText(pathBase),
  "url.host": onText(urlHost),
  "url.scheme": onText(urlScheme),
  "url.path": onText(urlPath),
};
