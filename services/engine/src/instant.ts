const timestampShape = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * Reads an RFC 3339 timestamp, in nanoseconds since 1970; undefined if it is not one or names no real day or time.
 * Leap seconds are refused.
 */
export function parseTimestampNs(text: string): bigint | undefined {
  if (text.length > 40) return undefined;
  const parts = timestampShape.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offsetHour = Number(parts[9] ?? 0);
  const offsetMinute = Number(parts[10] ?? 0);
  if (year === 0 || hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offsetMs = (parts[8] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute) * 60_000;
  const ms = date.getTime() + (hour * 3600 + minute * 60 + second) * 1000 - offsetMs;
  return BigInt(ms) * 1_000_000n + BigInt((parts[7] ?? "").padEnd(9, "0"));
}
