const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const daysMax = 366;

/**
 * Reads a duration such as `500ms`, `10s`, `15m`, `1h30m` or `7d`, in milliseconds; undefined if it is not one, is zero
 * or is longer than 366 days.
 */
export function parseDurationMs(text: string): number | undefined {
  if (!/^(\d{1,12}(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    total += Number(digits) * (unitMs[unit ?? ""] ?? 0);
  return total > 0 && total <= daysMax * 86_400_000 ? total : undefined;
}
