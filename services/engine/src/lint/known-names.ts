import { finishInSlices, type Steps } from "../compile/steps.ts";
import type { AgentDocument } from "../documents/agent.ts";
import type { Documents } from "../documents/parse.ts";
import type { ToolDocument } from "../documents/tool.ts";
import type { JsonObject } from "../json.ts";

/** What policies may name. A kind that is absent is not judged: nobody knows whether there is more of it. */
export interface KnownNames {
  readonly tools: ReadonlyMap<string, ToolDocument>;
  readonly servers?: ReadonlySet<string>;
  /** The labels that agents carry: values by name. */
  readonly labels?: () => ReadonlyMap<string, ReadonlySet<string>>;
  readonly groups?: ReadonlySet<string>;
  readonly budgets?: ReadonlySet<string>;
}

type Registered = Pick<Documents, "tools" | "agents" | "budgets" | "groups">;

const nameOf = ({ metadata }: { readonly metadata: { readonly name: string } }) => metadata.name;

function labelsOf(agents: readonly AgentDocument[]): Map<string, Set<string>> {
  const labels = new Map<string, Set<string>>();
  for (const { spec } of agents) addLabels(labels, spec.labels);
  return labels;
}

function addLabels(labels: Map<string, Set<string>>, own: AgentDocument["spec"]["labels"]): void {
  for (const [name, value] of Object.entries(own ?? {})) {
    labels.set(name, (labels.get(name) ?? new Set()).add(value));
  }
}

/** Found when first asked for: few policies name labels, and a tenant may have many agents. */
function once<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => {
    found ??= { value: find() };
    return found.value;
  };
}

/** The names of documents that are all there is: what a service has registered. */
export function namesOfAll({ tools, agents, budgets, groups }: Registered): Required<KnownNames> {
  return {
    tools: new Map(tools.map((tool) => [nameOf(tool), tool])),
    servers: new Set(tools.flatMap(({ spec }) => spec.server ?? [])),
    labels: once(() => labelsOf(agents)),
    groups: new Set(groups.map(nameOf)),
    budgets: new Set(budgets.map(nameOf)),
  };
}

/** The same documents as they come: of very many, a list of them all would be laid out in one piece. */
type RegisteredEach = { readonly [Kind in keyof Registered]: Iterable<Registered[Kind][number]> };

/** Documents whose names are taken down in the time of one step. */
const namesPerStep = 20;

function* namesSteps({ tools, agents, budgets, groups }: RegisteredEach): Steps<Required<KnownNames>> {
  const known = { tools: new Map<string, ToolDocument>(), servers: new Set<string>() };
  for (const tool of tools) {
    known.tools.set(nameOf(tool), tool);
    if (tool.spec.server !== undefined) known.servers.add(tool.spec.server);
    yield 1 / namesPerStep;
  }
  const labels = new Map<string, Set<string>>();
  for (const { spec } of agents) {
    addLabels(labels, spec.labels);
    yield 1 / namesPerStep;
  }
  const names = [new Set<string>(), new Set<string>()] as const;
  for (const [at, documents] of [groups, budgets].entries()) {
    for (const document of documents) {
      names[at]?.add(nameOf(document));
      yield 1 / namesPerStep;
    }
  }
  return { ...known, labels: () => labels, groups: names[0], budgets: names[1] };
}

/** The same as {@link namesOfAll}, in slices of some milliseconds; between them it awaits `pause`. */
export function namesOfAllInSlices(
  documents: RegisteredEach,
  pause: () => Promise<void>,
): Promise<Required<KnownNames>> {
  return finishInSlices(namesSteps(documents), pause);
}

/**
 * The names of documents that may be a part of all: policies are often kept apart from agents. Only kinds of which the
 * files declare something are judged.
 */
export function namesOfFiles(documents: Registered): KnownNames {
  const { tools, servers, labels, groups, budgets } = namesOfAll(documents);
  return {
    tools,
    ...(servers.size > 0 && { servers }),
    ...(documents.agents.length > 0 && { labels }),
    ...(groups.size > 0 && { groups }),
    ...(budgets.size > 0 && { budgets }),
  };
}

/** The schema of a tool's argument by its path below the input, where it is plainly written. */
export function argumentSchema({ spec }: ToolDocument, path: readonly string[]): JsonObject | undefined {
  let level: unknown = spec.inputSchema;
  for (const key of path) {
    const { properties, items } = (level ?? {}) as { properties?: Record<string, unknown>; items?: unknown };
    const own = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
    level = own ?? (key === "*" ? items : undefined);
    if (typeof level !== "object" || level === null) return undefined;
  }
  return level as JsonObject | undefined;
}
