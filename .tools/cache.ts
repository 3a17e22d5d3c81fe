import { homedir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";

/** Where tools that take long to get are kept for the next run: outside the checkout, under the user's cache. */
export function cacheDirectory(name: string): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "remit", name);
}
