import { seconds } from "./arguments.ts";
import { usage } from "./stop.ts";

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** When `--since` begins: a time as it stands, or a duration before now. Milliseconds since 1970. */
export function sinceMs(text: string, nowMs: number): number {
  if (!RFC3339.test(text)) return nowMs - seconds(text, "--since") * 1000;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw usage(`--since is no time: ${text}`);
  return ms;
}
