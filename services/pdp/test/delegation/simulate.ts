import type { Scope } from "@remit/engine";
import { seeded } from "../ledger/scheduler.ts";
import {
  agents,
  type DelegationHouse,
  emptyState,
  type HouseState,
  principals,
  type Tried,
  tools,
} from "./house-in-memory.ts";

const STEPS = 60;
const START_MS = 1_800_000_000_000;

/** What the model knows of a session: written down when it was made, and when it was ended. */
interface Node {
  readonly id: string;
  readonly agent: string;
  readonly principal: string;
  readonly scope: Scope | undefined;
  readonly parent: Node | undefined;
  readonly depth: number;
  readonly endMs: number;
  ended: boolean;
}

/** Whether a scope of the generator's kind permits a call, read off its text. */
function permits(scope: Scope, { tool, amount }: Tried, nowMs: number): boolean {
  const fits = (glob: string) => glob === "*" || glob === tool || (glob === "a.*" && tool.startsWith("a."));
  if (!scope.tools.some(fits)) return false;
  if (scope.expiresAt !== undefined && nowMs >= Date.parse(scope.expiresAt)) return false;
  return (scope.bounds ?? []).every((bound) => !fits(bound.tool) || amount <= Number(bound.max));
}

/** What one link alone, as it stands now, would let happen. */
function linkMay(node: Node, state: HouseState, tried: Tried, nowMs: number, below: number): boolean {
  const { agent, principal, scope } = node;
  const ceiling = state.ceilings.get(agent) as Scope;
  if (node.ended || nowMs >= node.endMs || state.suspended.has(agent)) return false;
  const gone = [
    ["agent", agent],
    ["principal", principal],
  ] as const;
  if (gone.some(([kind, subject]) => state.revoked.some((one) => one.kind === kind && one.subject === subject))) {
    return false;
  }
  if ([scope, ceiling].some((one) => one?.maxDepth !== undefined && below > one.maxDepth)) return false;
  const own = state.principalCeilings.get(principal);
  return [scope, ceiling, own].every((one) => one === undefined || permits(one, tried, nowMs));
}

/** What a session may do: what it may, and everything above it may too. */
function modelMay(node: Node, state: HouseState, tried: Tried, nowMs: number): boolean {
  if (node.depth > state.delegationDepth) return false;
  for (let link: Node | undefined = node; link; link = link.parent) {
    if (!linkMay(link, state, tried, nowMs, node.depth - link.depth)) return false;
  }
  return true;
}

export interface Simulated {
  /** Calls that a child was permitted and an ancestor was not, or the model does not permit; and the reverse. */
  readonly violations: readonly string[];
  /** How often each thing happened. */
  readonly seen: ReadonlyMap<string, number>;
}

type Pick1 = <Value>(from: readonly Value[]) => Value;

function randomScope(pick: Pick1, random: () => number, nowMs: number): Scope {
  const bound = (tool: string) => ({ tool, path: "input.amount", max: pick([1, 2, 3]) });
  return {
    tools: pick([["*"], ["*"], ["a.*"], ["a.*", "b.send"], ["a.read"], ["a.pay", "a.read"]]),
    ...(random() < 0.5 && { bounds: [bound(pick(["*", "a.*", "a.pay"]))] }),
    ...(random() < 0.1 && { expiresAt: new Date(nowMs + pick([10, 60, 600]) * 1000).toISOString() }),
    ...(random() < 0.3 && { maxDepth: pick([0, 1, 2, 3]) }),
  };
}

/** A scope that has good chances of being a subset: part of the one above, or made as strict as that. */
function narrower(pick: Pick1, random: () => number, above: Scope, nowMs: number): Scope {
  if (random() < 0.2) return randomScope(pick, random, nowMs);
  const tool = pick(above.tools);
  return {
    tools: random() < 0.5 ? above.tools : [tool === "*" ? pick(["*", "a.*", "b.send"]) : tool],
    bounds: (above.bounds ?? []).map((bound) => ({ ...bound, max: Math.max(0, Number(bound.max) - pick([0, 0, 1])) })),
    ...(above.maxDepth !== undefined && { maxDepth: Math.max(0, above.maxDepth - 1) }),
  };
}

/** Plays one random life of a house, and holds what it permits against the model after every step. */
export async function simulateDelegations(
  seed: number,
  houseOf: (state: HouseState) => DelegationHouse | Promise<DelegationHouse>,
  startMs = START_MS,
  stepsMax = STEPS,
): Promise<Simulated> {
  const random = seeded(seed);
  const pick: Pick1 = (from) => from[Math.floor(random() * from.length)] as never;
  const state = emptyState();
  const house = await houseOf(state);
  const nodes: Node[] = [];
  const violations: string[] = [];
  const seen = new Map<string, number>();
  let nowMs = startMs;
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

  const keep = (id: string, parent: Node | undefined): void => {
    const row = house.rows.get(id);
    if (!row) throw new Error(`there is no session ${id}`);
    const { agent, principal, scope, depth, expiresAtMs } = row;
    const endMs = Math.min(expiresAtMs, parent?.endMs ?? Number.POSITIVE_INFINITY);
    nodes.push({ id, agent, principal: principal.id, scope, parent, depth, endMs, ended: false });
  };
  const steps: Readonly<Record<string, () => unknown>> = {
    open: async () => {
      const scope = random() < 0.4 ? undefined : { maxDepth: 4, ...randomScope(pick, random, nowMs) };
      const endMs = nowMs + pick([60, 600, 6000]) * 1000;
      const id = await house.open(pick(agents), pick(principals), scope, endMs, nowMs);
      if (id !== undefined) keep(id, undefined);
    },
    delegate: async () => {
      if (nodes.length === 0) return;
      // Mostly from the newest, so that chains grow long.
      const parent = random() < 0.7 ? (nodes.at(-1) as Node) : pick(nodes);
      const above = parent.scope ?? (state.ceilings.get(parent.agent) as Scope);
      const scope = narrower(pick, random, above, nowMs);
      const agent = pick(agents.filter((name) => name !== parent.agent));
      const id = await house.delegate(parent.id, { agent, scope, lifetimeSeconds: pick([0, 0, 30, 300]) }, nowMs);
      count(id === undefined ? "delegation refused" : "delegated");
      if (id !== undefined) keep(id, parent);
    },
    narrow: () => void state.ceilings.set(pick(agents), randomScope(pick, random, nowMs)),
    widen: () => void state.ceilings.set(pick(agents), { tools: ["*"] }),
    "principal narrowed": () => void state.principalCeilings.set(pick(principals), randomScope(pick, random, nowMs)),
    "principal widened": () => void state.principalCeilings.delete(pick(principals)),
    suspend: () => void state.suspended.add(pick(agents)),
    resume: () => state.suspended.clear(),
    end: async () => {
      if (nodes.length === 0) return;
      const node = pick(nodes);
      if (house.rows.get(node.id)?.state !== "open") return;
      await house.end(node.id, pick(["closed", "revoked"]), nowMs);
      node.ended = true;
    },
    revoke: () => {
      // Of a session nothing lifts it: that is one of its ends.
      const kind = pick(["agent", "principal"] as const);
      const subject = kind === "agent" ? pick(agents) : pick(principals);
      if (!state.revoked.some((one) => one.kind === kind && one.subject === subject))
        state.revoked.push({ kind, subject });
    },
    lift: () => void state.revoked.splice(0),
    later: () => {
      nowMs += pick([1, 20, 100]) * 1000;
    },
    depth: () => {
      state.delegationDepth = pick([2, 4, 8, 8]);
    },
  };
  const often = [..."open delegate delegate delegate delegate".split(" "), ...Object.keys(steps)];

  const check = async (step: string): Promise<void> => {
    for (let times = 0; times < 6 && nodes.length > 0; times++) {
      const node = random() < 0.6 ? (nodes.at(-1) as Node) : pick(nodes);
      const tried: Tried = { tool: pick(tools), amount: pick([1, 2, 3, 4]) };
      const may = await house.may(node.id, tried, nowMs);
      const should = modelMay(node, state, tried, nowMs);
      count(`${may ? "permitted" : "denied"} at depth ${node.depth}`);
      const told = `after ${step}: ${node.id} (${node.agent}, depth ${node.depth}) ${tried.tool} ${tried.amount}`;
      if (may !== should) violations.push(`${told} is ${may ? "permitted" : "denied"}`);
      for (let above = node.parent; may && above; above = above.parent) {
        const alone = linkMay(above, state, tried, nowMs, node.depth - above.depth);
        if (!alone) violations.push(`${told} is permitted, and ${above.id} may not`);
      }
    }
  };
  for (let at = 0; at < stepsMax; at++) {
    const step = pick(often);
    await steps[step]?.();
    count(step);
    await check(step);
  }
  return { violations, seen };
}
