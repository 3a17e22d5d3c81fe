import { nearestName } from "./nearest.ts";

/** The names of the time zones that this process knows: IANA's, each asked for once. */
let names: readonly string[] | undefined;

/** Whether a text is the name of a time zone: `Europe/Berlin`, `UTC`. Offsets such as `+02:00` are none. */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export function nearestTimeZone(text: string): string | undefined {
  names ??= Intl.supportedValuesOf("timeZone");
  return nearestName(text, names);
}
