import { compileGlobs } from "../compile/pattern.ts";
import { nearestName } from "../documents/nearest.ts";
import { below } from "../documents/origin.ts";
import type { RuleWarning } from "./look.ts";

/** A policy of many globs in a tenant of many servers is not judged to its end. */
const comparisonsMax = 1_000_000;

/** A match of servers that no registered tool has. */
export const serverUnknown: RuleWarning = ({ rule, pointer }, { known, report, compared }) => {
  const { servers } = known;
  if (!servers) return;
  for (const [index, glob] of (rule.match.servers ?? []).entries()) {
    if (servers.has(glob)) continue;
    compared.times += servers.size;
    if (compared.times > comparisonsMax) return;
    if ([...servers].some(compileGlobs([glob]))) continue;
    report(below(`${pointer}/match/servers`, index), `no registered tool has a server \`${glob}\``, {
      ...{ code: "server_unknown", severity: "warning" },
      nearest: () => nearestName(glob, servers),
    });
  }
};
