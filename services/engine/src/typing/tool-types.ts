import { compileGlobs, isExactName } from "../compile/pattern.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import { shapeOf } from "./schema-shape.ts";
import { anything, type Shape, union, unsure } from "./shape.ts";

/** What the schemas of every registered tool that a rule can match say of its calls. */
export interface ToolTypes {
  readonly tools: readonly ToolDocument[];
  readonly input: Shape;
  readonly context: Shape;
  /** How messages call the tools. */
  readonly owner: string;
  /** Whether the rule names its tools one by one: then it speaks of these and of no others that may come. */
  readonly named: boolean;
}

/** The types of a rule's calls; undefined while it matches no registered tool. */
export type FindTypes = (match: MatchDocument) => ToolTypes | undefined;

/** For what is compiled once and run for calls of any tool. */
export const anyTool: ToolTypes = { tools: [], input: unsure, context: unsure, owner: "any tool", named: true };

const noSchema = { type: "object" };

export function inputShape({ spec }: ToolDocument): Shape {
  return shapeOf(spec.inputSchema ?? noSchema);
}

export function contextShape({ spec }: ToolDocument): Shape {
  return shapeOf(spec.contextSchema ?? noSchema);
}

/** Finds the types of rules among registered tools; what several rules match is put together once. */
export function typesAmong(registered: ReadonlyMap<string, ToolDocument>): FindTypes {
  const known = new Map<string, ToolTypes | undefined>();
  const names = [...registered.keys()].sort();
  return (match) => {
    const key = JSON.stringify([match.tools, match.servers, match.risk]);
    if (known.has(key)) return known.get(key);
    const tools = matching(match, registered, names);
    const types = tools.length === 0 ? undefined : typesOfTools(tools, (match.tools ?? ["*"]).every(isExactName));
    known.set(key, types);
    return types;
  };
}

function typesOfTools(tools: readonly ToolDocument[], named: boolean): ToolTypes {
  const [first] = tools;
  const shape = (of: (tool: ToolDocument) => Shape) => union(tools.map(of), { apart: true }) ?? anything;
  return {
    tools,
    input: shape(inputShape),
    context: shape(contextShape),
    owner: tools.length === 1 ? (first?.metadata.name ?? "") : `any of ${tools.length} tools`,
    named,
  };
}

function matching(
  { tools: globs, servers, risk }: MatchDocument,
  registered: ReadonlyMap<string, ToolDocument>,
  names: readonly string[],
): ToolDocument[] {
  const onServer = servers && compileGlobs(servers);
  return namesMatching(globs, names).flatMap((name) => {
    const tool = registered.get(name);
    if (!tool) return [];
    const { server, risk: itsRisk } = tool.spec;
    if (onServer && !(server !== undefined && onServer(server))) return [];
    return !risk || risk.includes(itsRisk) ? [tool] : [];
  });
}

/** The names that one of the globs accepts; those that begin alike are found without a look at the others. */
function namesMatching(globs: readonly string[] | undefined, names: readonly string[]): readonly string[] {
  if (!globs || globs.includes("*")) return names;
  const found = new Set<string>();
  for (const glob of globs) {
    if (isExactName(glob)) {
      found.add(glob);
      continue;
    }
    const [prefix = ""] = glob.split("*");
    const accepts = compileGlobs([glob]);
    for (let at = firstFrom(names, prefix); names[at]?.startsWith(prefix); at++) {
      const name = names[at] ?? "";
      if (accepts(name)) found.add(name);
    }
  }
  return [...found].sort();
}

/** The place of the first name that is not before `prefix`. */
function firstFrom(names: readonly string[], prefix: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] ?? "") < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}
