import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaintsOf, resultOf } from "../../test/conditions.ts";
import { zoneOf } from "./zones.ts";

const at = (now: string, text: string) => resultOf(text, { now });
const berlin = (now: string, what: string) => at(now, `${what}(now, "Europe/Berlin")`);

describe("time.weekday and time.hours", () => {
  it.each([
    // The clocks of Berlin go forward on 29 March 2026 at 01:00 UTC, and back on 25 October 2026 at 01:00 UTC.
    ["2026-03-29T00:59:59Z", 7n, 1 + 59 / 60 + 59 / 3600],
    ["2026-03-29T01:00:00Z", 7n, 3],
    ["2026-10-25T00:59:59Z", 7n, 2 + 59 / 60 + 59 / 3600],
    ["2026-10-25T01:00:00Z", 7n, 2],
    ["2026-07-03T21:59:59Z", 5n, 23 + 59 / 60 + 59 / 3600],
    ["2026-07-03T22:00:00Z", 6n, 0],
    ["2026-01-05T08:30:00Z", 1n, 9.5],
    ["1969-12-28T23:00:00Z", 1n, 0],
    ["1893-03-31T23:06:31Z", 5n, 23 + 59 / 60 + 59 / 3600],
  ])("of %s in Berlin are %s and %s", (now, weekday, hours) => {
    expect(berlin(now, "time.weekday")).toBe(weekday);
    expect(berlin(now, "time.hours")).toBeCloseTo(hours, 9);
  });

  it.each([
    ["UTC", 10.5],
    ["Z", 10.5],
    ["+05:30", 16],
    ["-03:30", 7],
    ["Asia/Kathmandu", 16.25],
    ["America/St_Johns", 7],
    ["America/Argentina/Buenos_Aires", 7.5],
    ["Pacific/Kiritimati", 0.5],
    ["Etc/GMT+5", 5.5],
  ])("are told in %s", (zone, hours) => {
    expect(at("2026-03-02T10:30:00Z", `time.hours(now, "${zone}")`)).toBe(hours);
    expect(resultOf("time.hours(now, input.zone)", { now: "2026-03-02T10:30:00Z", input: { zone } })).toBe(hours);
  });

  it.each([
    ['time.weekday(now, "Europe/Berln") < 6', "no time zone is called `Europe/Berln` (Europe/Berlin?)"],
    ['time.hours(now, "EST") > 9', "no time zone is called `EST`"],
    ['time.hours(now, "CET") > 9', "no time zone is called `CET`"],
    ['time.hours(now, "GMT") > 9', "no time zone is called `GMT`"],
    ['time.hours(now, "+2") > 9', "no time zone is called `+2`"],
    ['time.hours(now, "+24:00") > 9', "no time zone is called `+24:00`"],
    ['now.getHours("Mars/Olympus") > 9', "no time zone is called `Mars/Olympus`"],
    ["time.weekday(now) < 6", "`time.weekday` takes 2 values, not 1"],
    ['time.weekdays(now, "UTC") < 6', "unknown function `time.weekdays` (time.weekday?)"],
    ['time.weekday(now, "UTC") == "Mon"', "`==` between an int and a string"],
  ])("%s does not compile", (text, complaint) => expect(complaintsOf(text)).toEqual([complaint]));

  it.each([
    "",
    "EST",
    "Europe/Berln",
    "../../etc/passwd",
    "Europe/Berlin\n",
    "a".repeat(9999),
    "Europe/",
    "\u0415urope/Berlin",
  ])("are unknown in %j", (zone) =>
    expect(resultOf("time.hours(now, input.zone)", { input: { zone } })).toMatch(/^unknown: not a time zone/),
  );

  it("cost too much in ever more zones that a call brings", () => {
    const zones = Intl.supportedValuesOf("timeZone").slice(0, 50);
    const text = "input.zones.all(zone, time.hours(now, zone) >= 0.0)";
    expect(resultOf(text, { input: { zones } })).toBe("unknown: the evaluation passed its cost limit");
    expect(resultOf(text, { input: { zones: zones.slice(0, 5) } })).toBe(true);
  });
});

describe("CEL's getters in a zone", () => {
  it.each([
    ['now.getHours("Europe/Berlin")', 0n],
    ['now.getDate("Europe/Berlin")', 1n],
    ['now.getMonth("Europe/Berlin")', 0n],
    ['now.getFullYear("Europe/Berlin")', 2027n],
    ['now.getDayOfYear("Europe/Berlin")', 0n],
    ['now.getDayOfWeek("Europe/Berlin")', 5n],
    ['now.getMinutes("Asia/Kolkata")', 45n],
    ["now.getHours()", 23n],
    ['now.getHours("-08:00")', 15n],
  ])("%s is %s", (text, expected) => expect(at("2026-12-31T23:15:00Z", text)).toBe(expected));
});

describe("time.between", () => {
  it.each([
    ["2026-01-05T07:59:59Z", false],
    ["2026-01-05T08:00:00Z", true],
    ["2026-01-05T16:29:59Z", true],
    ["2026-01-05T16:30:00Z", false],
    ["2026-07-06T06:59:59Z", false],
    ["2026-07-06T07:00:00Z", true],
    ["2026-07-06T15:29:59Z", true],
    ["2026-07-06T15:30:00Z", false],
  ])("at %s the office of Berlin is open: %s", (now, open) => {
    expect(at(now, 'time.between(now, "09:00", "17:30", "Europe/Berlin")')).toBe(open);
  });

  it.each([
    ["21:59", false],
    ["22:00", true],
    ["00:00", true],
    ["05:59", true],
    ["06:00", false],
  ])("at %s it is night: %s", (time, night) => {
    expect(at(`2026-01-05T${time}:00Z`, 'time.between(now, "22:00", "06:00", "UTC")')).toBe(night);
  });

  it("runs until the day's end", () => {
    expect(at("2026-01-05T23:59:59.999Z", 'time.between(now, "18:00", "24:00", "UTC")')).toBe(true);
    expect(at("2026-01-05T00:00:00Z", 'time.between(now, "18:00", "24:00", "UTC")')).toBe(false);
  });

  it.each([
    ['time.between(now, "9:00", "17:00", "UTC")', "not a time of day: `9:00`"],
    ['time.between(now, "09:00", "25:00", "UTC")', "not a time of day: `25:00`"],
    ['time.between(now, "09:00", "5pm", "UTC")', "not a time of day: `5pm`"],
    ['time.between(now, "09:00", "17:00", "Berlin")', "no time zone is called `Berlin`"],
  ])("%s does not compile", (text, complaint) => expect(complaintsOf(text)).toEqual([complaint]));

  it("of a span without length is unknown", () => {
    expect(at("2026-01-05T09:00:00Z", 'time.between(now, "09:00", "09:00", "UTC")')).toMatch(/^unknown/);
  });
});

describe("a zone's offset", () => {
  it("is what the platform's calendar shows, wherever it is kept", () => {
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"];
    const calendars = new Map(
      zones.map((timeZone) => [
        timeZone,
        new Intl.DateTimeFormat("en-US", {
          timeZone,
          hourCycle: "h23",
          ...{
            year: "numeric",
            month: "numeric",
            day: "numeric",
            hour: "numeric",
            minute: "numeric",
            second: "numeric",
          },
        }),
      ]),
    );
    const seconds = fc.integer({ min: Date.UTC(1890, 0, 1) / 1000, max: Date.UTC(2060, 0, 1) / 1000 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), seconds, (name, second) => {
        const parts = new Map(
          calendars
            .get(name)
            ?.formatToParts(second * 1000)
            .map(({ type, value }) => [type, Number(value)]),
        );
        const [year = 0, month = 1, ...rest] = ["year", "month", "day", "hour", "minute", "second"].map(
          (part) => parts.get(part as "year") ?? 0,
        );
        const [day, hour, minute, shown] = rest;
        const local = Date.UTC(year, month - 1, day, hour, minute, shown);
        expect(zoneOf(name)?.offsetMs(second * 1000)).toBe(local - second * 1000);
      }),
      { numRuns: 2000 },
    );
  });

  it("is kept without being wrong next to a change", () => {
    const zone = zoneOf("Europe/Berlin");
    const change = Date.UTC(2026, 2, 29, 1);
    for (const step of [-1, 0, 1, -900_000, 899_999, -1, 0]) {
      expect(zone?.offsetMs(change + step)).toBe(step < 0 ? 3_600_000 : 7_200_000);
    }
    // Berlin left its local mean time, 53:28 ahead, in the middle of a quarter of an hour.
    const first = Date.UTC(1893, 2, 31, 23, 6, 32);
    expect(zone?.offsetMs(first - 1)).toBe((53 * 60 + 28) * 1000);
    expect(zone?.offsetMs(first)).toBe(3_600_000);
  });
});
