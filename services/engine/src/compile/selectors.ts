import { added } from "../added.ts";
import type { ToolFacts } from "../cel/frame.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { Risk } from "../documents/tool.ts";
import { type GlobIndex, indexGlobs } from "./glob-index.ts";
import { bitsFor, hasBit, type NumberSet, setBit, setOfBits } from "./number-set.ts";
import { compileGlobs, type NameTest } from "./pattern.ts";
import type { Steps } from "./steps.ts";
import { wideMap } from "./wide-map.ts";

/** What rules say of tools, each different `match` once and numbered: rules that say the same share a selector. */
export interface Selectors {
  readonly count: number;
  /** The number of a rule's selector, by {@link selectorKey}. */
  numberOf(key: string): number;
  /** The numbers of the selectors that fit a tool. */
  fitting(tool: ToolFacts): Steps<NumberSet>;
}

interface Selector {
  readonly match: MatchDocument;
  readonly tools: NameTest | undefined;
  readonly servers: NameTest | undefined;
}

const listCost = 0.05;
const keyCost = 0.05;

/** Equal for matches that name the same. */
export function selectorKey({ tools, servers, risk }: MatchDocument): string {
  return JSON.stringify([tools && normal(tools), servers && normal(servers), risk && normal(risk)]);
}

/** Few enough to be compared with each other: a set would have the machine keep each for the whole process. */
const distinct = (names: readonly string[]) => names.filter((name, at) => names.indexOf(name) === at);

function normal(names: readonly string[]): readonly string[] {
  return names.length === 1 ? names : distinct(names).sort();
}

/** Selectors found by the globs of one of their lists. */
interface ByGlob {
  readonly globs: GlobIndex;
  readonly selectors: readonly (readonly number[])[];
}

/**
 * Indexes matches, each with its {@link selectorKey} and in any number, by what separates them best: the names of tools or
 * of servers, whichever list fewer others have too, else by risk.
 */
export function* indexSelectors(matches: Iterable<readonly [key: string, match: MatchDocument]>): Steps<Selectors> {
  const numbers = wideMap<number>();
  const selectors: Selector[] = [];
  for (const [key, match] of matches) {
    yield keyCost;
    if (numbers.get(key) !== undefined) continue;
    numbers.set(key, selectors.length);
    const { tools, servers } = match;
    selectors.push({ match, tools: tools && compileGlobs(tools), servers: servers && compileGlobs(servers) });
    yield listCost * ((tools?.length ?? 0) + (servers?.length ?? 0));
  }
  const anchors = yield* anchorsOf(selectors);
  const byTool = yield* byGlob(selectors, anchors, "tools");
  const byServer = yield* byGlob(selectors, anchors, "servers");
  const byRisk = new Map<Risk, number[]>();
  const others: number[] = [];
  for (const [number, { match }] of selectors.entries()) {
    yield riskCost;
    if (anchors[number] !== "risk") continue;
    if (!match.risk) others.push(number);
    for (const risk of new Set(match.risk)) {
      const there = byRisk.get(risk);
      if (there) there.push(number);
      else byRisk.set(risk, [number]);
    }
  }
  const ofServer = new Map<string, Lists>();
  return {
    count: selectors.length,
    numberOf: (key) => numbers.get(key) ?? -1,
    *fitting(tool) {
      const lists = [others, byRisk.get(tool.risk as Risk) ?? [], ...found(byTool, tool.name)];
      if (tool.server !== undefined) {
        const known = ofServer.get(tool.server) ?? found(byServer, tool.server);
        ofServer.set(tool.server, known);
        lists.push(...known);
      }
      return yield* setOf(lists, selectors.length, (number) => fits(selectors[number], anchors[number], tool));
    },
  };
}

/** Numbers of selectors, in several lists. */
type Lists = readonly (readonly number[])[];

const riskCost = 0.02;
const fitCost = 0.005;
const fittingAtOnce = 500;
const byNumber = (one: number, other: number) => one - other;

/** Those of the numbers that fit, once each: a match stands in one list, or in several, for several globs. */
function* setOf(lists: Lists, count: number, fits: (number: number) => boolean): Steps<NumberSet> {
  let all = 0;
  for (const list of lists) all += list.length;
  if (all <= fewFitting) {
    const few = lists.flatMap((list) => list.filter(fits)).sort(byNumber);
    return { list: few.filter((number, at) => number !== few[at - 1]) };
  }
  const bits = bitsFor(count);
  let size = 0;
  let looked = 0;
  for (const list of lists) {
    for (let at = 0; at < list.length; at++) {
      const number = list[at] ?? -1;
      if (!hasBit(bits, number) && fits(number)) {
        setBit(bits, number);
        size++;
      }
      if (++looked % fittingAtOnce === 0) yield fittingAtOnce * fitCost;
    }
  }
  return setOfBits(bits, size);
}

/** So many are sorted; of more each has a bit. */
const fewFitting = 100;

type AnchorKind = "tools" | "servers" | "risk";

const kinds = ["tools", "servers"] as const;

/** The list that the fewest matches have; the risk where neither list narrows anything. */
function* anchorsOf(selectors: readonly Selector[]): Steps<AnchorKind[]> {
  const lists = { tools: wideMap<number>(), servers: wideMap<number>() };
  for (const { match } of selectors) {
    for (const kind of kinds) {
      const key = match[kind]?.join("\n");
      if (key !== undefined) lists[kind].set(key, (lists[kind].get(key) ?? 0) + 1);
    }
    yield listCost;
  }
  const anchors: AnchorKind[] = [];
  for (const { match } of selectors) {
    const [tools = Infinity, servers = Infinity] = kinds.map((kind) => {
      const names = match[kind];
      return !names || names.some(isEverything) ? undefined : lists[kind].get(names.join("\n"));
    });
    const narrow = tools !== Infinity || servers !== Infinity;
    anchors.push(narrow ? (tools <= servers ? "tools" : "servers") : "risk");
    yield listCost;
  }
  return anchors;
}

function isEverything(glob: string): boolean {
  return glob !== "" && [...glob].every((char) => char === "*");
}

function* byGlob(
  selectors: readonly Selector[],
  anchors: readonly AnchorKind[],
  kind: "tools" | "servers",
): Steps<ByGlob> {
  const places = wideMap<number>();
  const globs: string[] = [];
  const having: number[][] = [];
  for (const [number, { match }] of selectors.entries()) {
    if (anchors[number] !== kind) continue;
    for (const glob of distinct(match[kind] ?? [])) {
      const there = places.get(glob) ?? globs.length;
      if (there === globs.length) {
        places.set(glob, there);
        globs.push(glob);
      }
      having[there] = added(having[there] ?? [], number);
    }
    yield listCost * (match[kind]?.length ?? 0);
  }
  return { globs: yield* indexGlobs(globs), selectors: having };
}

function found({ globs, selectors }: ByGlob, name: string): Lists {
  return globs.fitting(name).map((glob) => selectors[glob] ?? []);
}

/** Whether what the anchor has not settled fits too. */
function fits(selector: Selector | undefined, anchor: AnchorKind | undefined, tool: ToolFacts): boolean {
  if (!selector) return false;
  const { match, tools, servers } = selector;
  if (match.risk && !match.risk.includes(tool.risk as Risk)) return false;
  if (anchor !== "tools" && tools && !tools(tool.name)) return false;
  return anchor === "servers" || !servers || (tool.server !== undefined && servers(tool.server));
}
