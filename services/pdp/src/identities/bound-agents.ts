import { compileGlobs, type NameTest } from "@remit/engine";
import type { Pause } from "../foundation/in-slices.ts";

/** Globs that are compared with a name in one turn: of many stars they take some microseconds each. */
const GLOBS_AT_ONCE = 200;
/** Answers that are kept beside a list. */
const ANSWERS_MAX = 1_000;

/** A list of globs that remembers what it was asked: one of thousands is compared with a name once. */
class BoundAgents {
  readonly #globs: readonly string[];
  readonly #tests: NameTest[] = [];
  readonly #answers = new Map<string, boolean>();

  constructor(globs: readonly string[]) {
    this.#globs = globs;
  }

  knows(name: string): boolean {
    return this.#answers.has(name);
  }

  has(name: string): boolean {
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    for (let from = 0; from < this.#globs.length; from += GLOBS_AT_ONCE) {
      if (this.#testFrom(from)(name)) return this.#keep(name, true);
    }
    return this.#keep(name, false);
  }

  async compare(name: string, pause: Pause): Promise<void> {
    for (let from = 0; from < this.#globs.length; from += GLOBS_AT_ONCE) {
      if (this.#testFrom(from)(name)) return void this.#keep(name, true);
      await pause();
    }
    this.#keep(name, false);
  }

  #testFrom(from: number): NameTest {
    const at = from / GLOBS_AT_ONCE;
    const test = this.#tests[at] ?? compileGlobs(this.#globs.slice(from, from + GLOBS_AT_ONCE));
    this.#tests[at] = test;
    return test;
  }

  #keep(name: string, found: boolean): boolean {
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    this.#answers.set(name, found);
    return found;
  }
}

// Kept beside the list itself: whoever comes by a token is asked with every call.
const lists = new WeakMap<readonly string[], BoundAgents>();

function listOf(agents: readonly string[]): BoundAgents {
  let list = lists.get(agents);
  if (!list) {
    list = new BoundAgents(agents);
    lists.set(agents, list);
  }
  return list;
}

/** Whether one of these globs means the agent. */
export const isBoundTo = (agents: readonly string[], agent: string): boolean => listOf(agents).has(agent);

/**
 * Compares agents with a long list of globs in slices, so that `isBoundTo` has its answer for them; undefined where that
 * takes no time worth speaking of.
 */
export function comparedWith(
  agents: readonly string[],
  names: readonly string[],
  pause: Pause,
): Promise<void> | undefined {
  if (agents.length <= GLOBS_AT_ONCE) return undefined;
  const list = listOf(agents);
  const unknown = names.filter((name) => !list.knows(name));
  return unknown.length === 0 ? undefined : comparedInSlices(list, unknown, pause);
}

async function comparedInSlices(list: BoundAgents, names: readonly string[], pause: Pause): Promise<void> {
  for (const name of names) await list.compare(name, pause);
}
