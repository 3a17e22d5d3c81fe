import { spend } from "./frame.ts";
import type { CelFunction, FunctionTable, LiteralProblem } from "./function-table.ts";
import { localMs } from "./times.ts";
import { costFailure, Failure, type Outcome, Timestamp, typeConfusion, type Value } from "./value.ts";
import { type Zone, zoneOf, zoneProblem } from "./zones.ts";

const dayMs = 86_400_000;
/** A zone that is written in a condition is there once it is compiled. */
const knownZoneSteps = 60;
/** Any other may have to be made, whether it is kept or not: what a call costs must not depend on the calls before it. */
const otherZoneSteps = 10_000;

type Compute = (localMs: number, args: readonly Value[]) => Outcome;

/** A function of a timestamp, some texts, and the zone's name last. */
export function zoned(
  name: string,
  compute: Compute,
  zoneAt: number,
): Pick<CelFunction, "apply" | "literal" | "prepare"> {
  const answer = (args: readonly Value[], zone: Zone): Outcome => {
    const [time] = args;
    if (!(time instanceof Timestamp)) return typeConfusion(`${name}()`, time as Value);
    const local = localMs(time, zone);
    return Number.isNaN(local) ? noOffset : compute(local, args);
  };
  return {
    literal: (index, value) => (index === zoneAt && typeof value === "string" ? zoneProblem(value) : undefined),
    prepare: (known) => {
      const written = known[zoneAt];
      const zone = typeof written === "string" ? zoneOf(written) : undefined;
      if (!zone) return undefined;
      return (args, frame) => (spend(frame, knownZoneSteps) ? answer(args, zone) : costFailure);
    },
    apply: (args, frame) => {
      const written = args[zoneAt];
      if (typeof written !== "string") return typeConfusion(`the zone of ${name}()`, written as Value);
      if (!spend(frame, otherZoneSteps)) return costFailure;
      const zone = zoneOf(written);
      return zone ? answer(args, zone) : noZone;
    },
  };
}

const noZone = new Failure("error", "not a time zone: UTC, an offset such as +02:00, or a name such as Europe/Berlin");
const noOffset = new Failure("error", "a time zone whose offset the platform does not say");
const noTimeOfDay = new Failure("error", "not a time of day such as 09:00");

function msOfDay(local: number): number {
  return ((local % dayMs) + dayMs) % dayMs;
}

/** Monday is 1 and Sunday 7, as ISO 8601 counts. */
function weekday(local: number): Outcome {
  const days = Math.floor(local / dayMs);
  // 1 January 1970 was a Thursday.
  return BigInt(((((days + 3) % 7) + 7) % 7) + 1);
}

function timeOfDayMs(text: Value | undefined): number | undefined {
  if (typeof text !== "string" || text.length !== 5) return undefined;
  const [, hours, minutes] = /^(\d\d):([0-5]\d)$/.exec(text) ?? [];
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return ms <= dayMs ? ms : undefined;
}

/** Whether the clock shows a time from the first on and before the second; over midnight if the first is the later. */
function between(local: number, [, from, to]: readonly Value[]): Outcome {
  const [start, end] = [timeOfDayMs(from), timeOfDayMs(to)];
  if (start === undefined || end === undefined || start === end) return noTimeOfDay;
  const at = msOfDay(local);
  return start < end ? at >= start && at < end : at >= start || at < end;
}

function checkTimeOfDay(value: Value): LiteralProblem | undefined {
  if (timeOfDayMs(value) !== undefined) return undefined;
  return {
    message: `not a time of day: \`${String(value)}\``,
    expected: "24 hours, two digits each, such as 09:00 or 17:30",
  };
}

/** A number that a count within bounds never is: `time.weekday(…) == 0` waits for a Sunday in vain. */
export function neverBeyond(name: string, least: number, most: number): CelFunction["never"] {
  return (literal) => {
    const number = typeof literal === "bigint" ? Number(literal) : literal;
    if (typeof number !== "number" || (number >= least && number <= most && Number.isInteger(number))) return undefined;
    return { message: `\`${name}\` is never ${number}`, expected: `a whole number from ${least} to ${most}` };
  };
}

const betweenParts = zoned("time.between", between, 3);

export const timeFunctions: FunctionTable = {
  "time.weekday": {
    params: [["timestamp"], ["string"]],
    result: "int",
    never: neverBeyond("time.weekday", 1, 7),
    ...zoned("time.weekday", weekday, 1),
  },
  "time.hours": {
    params: [["timestamp"], ["string"]],
    result: "double",
    ...zoned("time.hours", (local) => msOfDay(local) / 3_600_000, 1),
  },
  "time.between": {
    params: [["timestamp"], ["string"], ["string"], ["string"]],
    result: "bool",
    ...betweenParts,
    literal: (index, value) =>
      index === 1 || index === 2 ? checkTimeOfDay(value) : betweenParts.literal?.(index, value),
  },
};
