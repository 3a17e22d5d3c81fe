import {
  emptySet,
  type GrowingSet,
  grownUp,
  type NumberSet,
  nextOf,
  noNumber,
  sameNumbers,
  withNumber,
} from "../compile/number-set.ts";
import { isExactName } from "../compile/pattern.ts";
import { sameItems } from "../compile/same-items.ts";
import { indexSelectors, selectorKey } from "../compile/selectors.ts";
import { type Steps, sortInSteps } from "../compile/steps.ts";
import { type WideMap, wideMap } from "../compile/wide-map.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import { shapeOf } from "./schema-shape.ts";
import { type Shape, unsure } from "./shape.ts";
import { type ShapesAmong, shapesAmong } from "./shapes-among.ts";

/**
 * What the schemas of every registered tool that a rule can match say of its calls. Where the next compilation finds the very
 * same tools, it has the very same types.
 */
export interface ToolTypes {
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
export const anyTool: ToolTypes = { input: unsure, context: unsure, owner: "any tool", named: true };

const noSchema = { type: "object" };

export function inputShape({ spec }: ToolDocument): Shape {
  return shapeOf(spec.inputSchema ?? noSchema);
}

export function contextShape({ spec }: ToolDocument): Shape {
  return shapeOf(spec.contextSchema ?? noSchema);
}

/** Of one compilation what the next one uses again: the types of the rules whose tools are the same. */
export interface KnownTypes {
  readonly registered: readonly ToolDocument[];
  /** By {@link selectorKey}. */
  readonly byMatch: WideMap<Known>;
}

/** The tools that a match is about, by their places among those registered, and their types. */
interface Known {
  readonly tools: NumberSet;
  readonly types: ToolTypes | undefined;
}

/**
 * Finds the types of rules among registered tools; what several rules match is put together once. `matches` are those of
 * all rules that will ask: their tools are found by an index over them, not by holding each against every tool. Ten thousand
 * matches may be about twenty thousand tools each, so that of each the tools are kept as bits, and by nobody but `known`.
 */
export function* typesAmong(
  registered: ReadonlyMap<string, ToolDocument>,
  matches: Iterable<MatchDocument>,
  last?: KnownTypes,
): Steps<{ readonly find: FindTypes; readonly known: KnownTypes }> {
  const selectors = yield* indexSelectors(keyed(matches));
  const all = yield* sortInSteps([...registered.values()], byName);
  const sets = new Array<GrowingSet>(selectors.count).fill(emptySet);
  const sizes = new Uint32Array(selectors.count);
  const shapes = { inputs: shapesAmong(all.length), contexts: shapesAmong(all.length) };
  for (const [number, tool] of all.entries()) {
    const { server, risk } = tool.spec;
    // A tool's at a time: who asks for them later finds them known.
    shapes.inputs.add(number, inputShape(tool));
    yield toolCost;
    shapes.contexts.add(number, contextShape(tool));
    const fitting = yield* selectors.fitting({ name: tool.metadata.name, server, risk, labels: {} });
    let noted = 0;
    for (let selector = nextOf(fitting, 0); selector !== noNumber; selector = nextOf(fitting, selector + 1)) {
      const before = sets[selector] as GrowingSet;
      const set = withNumber(before, number, all.length);
      if (set !== before) {
        sets[selector] = set;
        yield layOutCost;
      }
      sizes[selector] = (sizes[selector] as number) + 1;
      if (++noted % notedAtOnce === 0) yield notedAtOnce * noteCost;
    }
    yield toolCost;
  }
  const known: KnownTypes = { registered: all, byMatch: wideMap<Known>() };
  const registeredBefore = last?.registered ?? [];
  const areSame = sameItems(registeredBefore, all);
  const sameDocuments = (before: NumberSet, now: NumberSet) => sameTools(before, registeredBefore, now, all);
  const typesOf = (tools: NumberSet, size: number, named: boolean) => {
    const first = all[nextOf(tools, 0)];
    return first && typesOfTools(shapes, tools, named, size === 1 ? first.metadata.name : `any of ${size} tools`);
  };
  const find: FindTypes = (match) => {
    const key = selectorKey(match);
    const there = known.byMatch.get(key);
    if (there) return there.types;
    const selector = selectors.numberOf(key);
    const size = sizes[selector] ?? 0;
    const tools = grownUp(sets[selector] ?? emptySet, size);
    const before = last?.byMatch.get(key);
    const isSame = before && (areSame ? sameNumbers : sameDocuments)(before.tools, tools);
    const types = isSame ? before.types : typesOf(tools, size, (match.tools ?? ["*"]).every(isExactName));
    known.byMatch.set(key, { tools, types });
    return types;
  };
  return { find, known };
}

function* keyed(matches: Iterable<MatchDocument>): Generator<readonly [string, MatchDocument]> {
  for (const match of matches) yield [selectorKey(match), match];
}

/** Of noting a tool for a match. */
const noteCost = 0.005;
const notedAtOnce = 250;
/** Of laying something out for that: so little time, but of 10,000 matches that come to it at one tool it is 25 MB. */
const layOutCost = 0.2;
const byName = ({ metadata: one }: ToolDocument, { metadata: other }: ToolDocument) => (one.name < other.name ? -1 : 1);
const toolCost = 1;

/** Whether two sets are of the very same documents, each among others. */
function sameTools(
  some: NumberSet,
  among: readonly ToolDocument[],
  others: NumberSet,
  all: readonly ToolDocument[],
): boolean {
  let [one, other] = [nextOf(some, 0), nextOf(others, 0)];
  while (one !== noNumber && other !== noNumber) {
    if (among[one] !== all[other]) return false;
    one = nextOf(some, one + 1);
    other = nextOf(others, other + 1);
  }
  return one === other;
}

/** Schemas of one kind that a rule's texts are compared with: each place that a text reads is asked of all of them. */
const schemasMax = 500;

interface ShapesOfTools {
  readonly inputs: ShapesAmong;
  readonly contexts: ShapesAmong;
}

function typesOfTools({ inputs, contexts }: ShapesOfTools, tools: NumberSet, named: boolean, owner: string): ToolTypes {
  const [input, context] = [inputs.of(tools, schemasMax), contexts.of(tools, schemasMax)];
  if (input.length + context.length > schemasMax + 1) return { ...anyTool };
  return { input: inputs.united(input), context: contexts.united(context), owner, named };
}
