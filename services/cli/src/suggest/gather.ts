import type { ToolDocument } from "@remit/engine";
import { allowing, bareTool, type Engine, factsOf } from "./facts.ts";
import type { Leaving, Seen, SeenCall } from "./seen-call.ts";

/** A call on its way to be drafted from, and what rules in force say to it, if that is known. */
export interface Candidate {
  readonly call: SeenCall | Exclude<Leaving, "denied">;
  readonly would: { readonly effect: string; readonly code: string } | undefined;
}

export interface Gathering {
  readonly engine: Engine;
  readonly candidates: readonly Candidate[];
  /** As they are registered. */
  readonly tools: ReadonlyMap<string, ToolDocument>;
  /** Leave out what a rule in force would deny. */
  readonly excludeDenied: boolean;
  readonly source: string;
}

const BY_RULE = new Set(["rule_denied", "evaluation_error"]);

function wellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return Number.isSafeInteger(value) || !Number.isInteger(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && wellFormed(inner));
}

/** Whether documents may name a tool so. */
function nameable(engine: Engine, tool: string): boolean {
  const { problems } = engine.parseDocuments([{ file: "", text: JSON.stringify(bareTool(tool)) }]);
  return problems.length === 0;
}

/** Which calls of a tool fit its schemas. What was kept redacted cannot be held against them. */
function fitting(engine: Engine, tool: ToolDocument): (call: SeenCall) => boolean {
  const { name } = tool.metadata;
  const { status: _, ...spec } = tool.spec;
  const policies = [{ document: allowing(name, { all: [] }), version: 1 }];
  const { compiled } = engine.compile({ policies, tools: [{ ...tool, spec }] });
  return (call) =>
    call.redacted.length > 0 || (compiled !== undefined && engine.evaluate(compiled, factsOf(call)).effect === "allow");
}

/** Why a call that was made is left out; undefined when it is drafted from. */
function leaver({ engine, tools, excludeDenied }: Gathering): (candidate: Candidate) => Leaving | undefined {
  const names = new Map<string, boolean>();
  const fits = new Map<string, (call: SeenCall) => boolean>();
  return ({ call, would }) => {
    if (typeof call === "string") return call;
    const { tool } = call;
    if (!names.has(tool)) {
      names.set(tool, nameable(engine, tool));
      fits.set(tool, fitting(engine, tools.get(tool) ?? bareTool(tool)));
    }
    if (!names.get(tool)) return "unnameable";
    if (!wellFormed(call.input)) return "unreadable";
    if (would?.code === "scope_exceeded") return "scope";
    if (!fits.get(tool)?.(call)) return "invalid";
    return excludeDenied && would?.effect === "deny" && BY_RULE.has(would.code) ? "denied" : undefined;
  };
}

const RESTRAINTS = new Set([...BY_RULE, "approval_required", "facts_missing", "constraint_unsupported"]);

/** Sorts calls into those that are drafted from and those that are not, and counts both. */
export function gather(gathering: Gathering): Seen {
  const leavingOf = leaver(gathering);
  const calls: SeenCall[] = [];
  const left: Partial<Record<Leaving, number>> = {};
  const restrained: Record<string, number> = {};
  for (const candidate of gathering.candidates) {
    const leaving = leavingOf(candidate);
    const { call, would } = candidate;
    if (leaving !== undefined) left[leaving] = (left[leaving] ?? 0) + 1;
    else if (typeof call !== "string") calls.push(call);
    if (leaving === undefined && would && RESTRAINTS.has(would.code)) {
      restrained[would.effect] = (restrained[would.effect] ?? 0) + 1;
    }
  }
  return { calls, left, restrained, source: gathering.source };
}
