import { type EffectWord, effectWords } from "../effects.ts";

/** What became of one call. `error`: it could not be decided, and `code` says why. */
export interface Played {
  readonly line: number;
  readonly run: string;
  readonly step: number | string;
  readonly tool: string;
  readonly effect: EffectWord | "error";
  readonly code: string;
  /** policy/rule, every rule that agreed. */
  readonly rules: readonly string[];
  /** What enforcement of all that is only observed would have answered, where that was said. */
  readonly would?: Pick<Played, "code" | "rules"> & { readonly effect: EffectWord };
}

export type Counts = Readonly<Record<Played["effect"], number>>;

export interface Example extends Played {
  readonly message: string;
}

/** The counts of a run of a log. */
export interface Tally {
  readonly calls: number;
  readonly total: Counts;
  /** Calls that breakers stopped, by code and tool. They are in no other count, but that of all calls. */
  readonly stopped: ReadonlyMap<string, number>;
  /** Calls of which something was only observed, by the effect that enforcement would have had. */
  readonly would: Counts;
  readonly byTool: ReadonlyMap<string, Counts>;
  /** By policy/rule; a decision that no rule made stands under its code in brackets. */
  readonly byRule: ReadonlyMap<string, Counts>;
  /** The first call of every kind that did not simply pass. */
  readonly examples: readonly Example[];
}

/** What breakers answer. */
const STOPS: ReadonlySet<string> = new Set(["loop_detected", "rate_limited", "anomalous_spend"]);

const examplesMax = 25;
const outcomes = [...effectWords, "error"] as const;

function nothing(): Record<Played["effect"], number> {
  return Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Played["effect"], number>;
}

function count(counts: Map<string, Record<Played["effect"], number>>, name: string, effect: Played["effect"]): void {
  const found = counts.get(name) ?? nothing();
  counts.set(name, found);
  found[effect]++;
}

/** Counts calls as they are played. */
export function createTally(): { add(played: Played, message: string): void; result(): Tally } {
  const total = nothing();
  const would = nothing();
  const byTool = new Map<string, ReturnType<typeof nothing>>();
  const byRule = new Map<string, ReturnType<typeof nothing>>();
  const stopped = new Map<string, number>();
  const examples = new Map<string, Example>();
  let calls = 0;
  return {
    add(played, message) {
      const { effect, tool, rules, code } = played;
      calls++;
      const stop = STOPS.has(code);
      if (stop) stopped.set(`${code} ${tool}`, (stopped.get(`${code} ${tool}`) ?? 0) + 1);
      else {
        total[effect]++;
        if (played.would) would[played.would.effect]++;
        count(byTool, tool, effect);
        for (const name of rules.length > 0 ? rules : [`(${code})`]) count(byRule, name, effect);
      }
      if (effect === "allow" || examples.size >= examplesMax) return;
      const kind = [effect, code, ...rules].join(" ");
      if (!examples.has(kind)) examples.set(kind, { ...played, message });
    },
    result: () => ({ calls, total, stopped, would, byTool, byRule, examples: [...examples.values()] }),
  };
}
