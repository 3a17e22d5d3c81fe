import { type CallLimits, DEFAULT_CALL_LIMITS, NO_CALL_LIMITS } from "../behaviour/index.ts";
import type { Snapshot } from "../policies/index.ts";

/** What breakers go by for the calls of one agent and one tool. */
export interface BreakerLimits {
  /** They stop. */
  readonly bound: CallLimits;
  /** They stop, or would: the strictest of what stops and of what is only watched. The very same where nothing is. */
  readonly watched: CallLimits;
}

const LIMIT_NAMES = ["identical", "failures", "denials", "perSecond", "perMinute"] as const;

function strictest(all: readonly Partial<CallLimits>[]): CallLimits {
  const least = (name: (typeof LIMIT_NAMES)[number]) => Math.min(...all.map((limits) => limits[name] ?? Infinity));
  return {
    ...{ identical: least("identical"), failures: least("failures"), denials: least("denials") },
    ...{ perSecond: least("perSecond"), perMinute: least("perMinute") },
  };
}

const bindsNothing = (limits: CallLimits) => LIMIT_NAMES.every((name) => limits[name] === Number.POSITIVE_INFINITY);

function carries(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}

/** What documents say of an agent's calls of a tool: the tool's own, and every policy's that speaks of the agent. */
function documented({ tools, agents, policies }: Snapshot, agent: string, tool: string): Partial<CallLimits>[] {
  const labels = agents.get(agent)?.spec.labels ?? {};
  const byTool = tools.get(tool)?.document.spec.limits;
  const byPolicies = policies.flatMap(({ document: { spec } }) => {
    const speaks = !spec.appliesTo || carries(labels, spec.appliesTo.agents.matchLabels);
    return spec.limits && speaks ? [spec.limits] : [];
  });
  return byTool ? [byTool, ...byPolicies] : byPolicies;
}

/** The defaults, where nobody named another limit. */
function orDefaults(named: CallLimits): CallLimits {
  const of = (name: (typeof LIMIT_NAMES)[number]) =>
    named[name] === Number.POSITIVE_INFINITY ? DEFAULT_CALL_LIMITS[name] : named[name];
  return {
    ...{ identical: of("identical"), failures: of("failures"), denials: of("denials") },
    ...{ perSecond: of("perSecond"), perMinute: of("perMinute") },
  };
}

function resolve(snapshot: Snapshot, agent: string, tool: string): BreakerLimits | null {
  const { breakers = "enforce" } = snapshot.settings;
  const named = strictest([NO_CALL_LIMITS, ...documented(snapshot, agent, tool)]);
  const bound = breakers === "enforce" ? orDefaults(named) : named;
  const watched = breakers === "observe" ? orDefaults(named) : bound;
  return bindsNothing(watched) ? null : { bound, watched };
}

/** Pairs of agents and tools that are remembered of one snapshot. */
const PAIRS_MAX = 10_000;

/** Works limits out once a snapshot; null where no limit binds. */
export function createLimitsOf(): (snapshot: Snapshot, agent: string, tool: string) => BreakerLimits | null {
  const known = new WeakMap<Snapshot, Map<string, BreakerLimits | null>>();
  return (snapshot, agent, tool) => {
    let pairs = known.get(snapshot);
    if (!pairs || pairs.size > PAIRS_MAX) {
      pairs = new Map();
      known.set(snapshot, pairs);
    }
    const key = `${agent}\n${tool}`;
    let limits = pairs.get(key);
    if (limits === undefined) {
      limits = resolve(snapshot, agent, tool);
      pairs.set(key, limits);
    }
    return limits;
  };
}
