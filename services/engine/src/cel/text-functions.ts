import { charSteps, type Frame, scanSteps, searchSteps, spend } from "./frame.ts";
import type { CelFunction, FunctionTable } from "./function-table.ts";
import { search } from "./search.ts";
import { neverBeyond, zoned } from "./time-functions.ts";
import { calendarParts, durationPart, type TimePart } from "./times.ts";
import { costFailure, Duration, isList, type Outcome, typeConfusion, type Value } from "./value.ts";

function onText(name: string, result: CelFunction["result"], compute: (text: string) => Outcome): CelFunction {
  return {
    params: [["string"]],
    result,
    apply: ([value], frame) => {
      if (typeof value !== "string") return typeConfusion(`${name}()`, value as Value);
      return spend(frame, scanSteps(value.length)) ? compute(value) : costFailure;
    },
  };
}

/** `compute` takes its own steps; undefined: there were none left. */
function onTwoTexts(
  name: string,
  compute: (text: string, part: string, frame: Frame) => boolean | undefined,
): CelFunction {
  return {
    params: [["string"], ["string"]],
    result: "bool",
    apply: ([text, part], frame) => {
      if (typeof text !== "string" || typeof part !== "string") {
        return typeConfusion(`${name}()`, text as Value, part as Value);
      }
      return compute(text, part, frame) ?? costFailure;
    },
  };
}

/** Looks at no more of a text than the part is long. */
const atAnEnd = (compare: (text: string, part: string) => boolean) => (text: string, part: string, frame: Frame) =>
  spend(frame, charSteps(part.length)) ? compare(text, part) : undefined;

const ascii = /^\p{ASCII}*$/u;

function lowerAscii(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function upperAscii(text: string): string {
  return ascii.test(text) ? text.toUpperCase() : text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

function split(args: readonly Value[], frame: Frame): Outcome {
  const [text, separator] = args;
  if (typeof text !== "string" || typeof separator !== "string") {
    return typeConfusion("split()", text as Value, separator as Value);
  }
  if (!spend(frame, searchSteps(text.length, separator.length) + text.length)) return costFailure;
  return separator === "" ? Array.from(text) : text.split(separator);
}

function join(args: readonly Value[], frame: Frame): Outcome {
  const [parts, separator = ""] = args;
  if (!isList(parts as Value) || typeof separator !== "string") return typeConfusion("join()", parts as Value);
  const texts = parts as readonly Value[];
  if (!spend(frame, texts.length)) return costFailure;
  const other = texts.find((part) => typeof part !== "string");
  if (other !== undefined) return typeConfusion("join()", other);
  const chars = texts.reduce<number>((total, part) => total + (part as string).length + separator.length, 0);
  return spend(frame, charSteps(chars)) ? texts.join(separator) : costFailure;
}

/** What the getters of timestamps alone count from and to; those of hours answer for durations too. */
const calendarBounds: Readonly<Record<string, readonly [least: number, most: number]>> = {
  getMonth: [0, 11],
  getDate: [1, 31],
  getDayOfMonth: [0, 30],
  getDayOfWeek: [0, 6],
  getDayOfYear: [0, 365],
};

/** A getter of CEL: of a timestamp in a zone, UTC if none is given, or of a duration. */
function timePart(name: string, part: TimePart): CelFunction {
  const inZone = zoned(name, (local) => BigInt(part(new Date(local))), 1);
  const inUtc = inZone.prepare?.([undefined, "UTC"]);
  const bounds = Object.hasOwn(calendarBounds, name) ? calendarBounds[name] : undefined;
  return {
    params: [["timestamp", "duration"], ["string"]],
    optional: 1,
    result: "int",
    never: bounds && neverBeyond(name, ...bounds),
    ...inZone,
    apply: (args, frame) => {
      const [value, zone] = args;
      if (value instanceof Duration) return durationPart(name, value) ?? typeConfusion(`${name}()`, value);
      return zone === undefined && inUtc ? inUtc(args, frame) : inZone.apply(args, frame);
    },
  };
}
const timeParts: FunctionTable = Object.fromEntries(
  Object.entries(calendarParts).map(([name, part]) => [name, timePart(name, part)]),
);

/** What is called on a value: `input.to.endsWith("@acme.com")`. */
export const methods: FunctionTable = {
  startsWith: onTwoTexts(
    "startsWith",
    atAnEnd((text, part) => text.startsWith(part)),
  ),
  endsWith: onTwoTexts(
    "endsWith",
    atAnEnd((text, part) => text.endsWith(part)),
  ),
  contains: onTwoTexts("contains", search),
  lowerAscii: onText("lowerAscii", "string", lowerAscii),
  upperAscii: onText("upperAscii", "string", upperAscii),
  trim: onText("trim", "string", (text) => text.trim()),
  split: { params: [["string"], ["string"]], result: "list", items: "string", apply: split },
  join: { params: [["list"], ["string"]], optional: 1, result: "string", apply: join },
  ...timeParts,
};
