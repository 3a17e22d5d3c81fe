import { isAnyMap, keysOf } from "./compare.ts";
import { type Frame, isSpent, type Run, spend } from "./frame.ts";
import type { Node } from "./node.ts";
import { costFailure, Failure, isList, type Outcome, typeConfusion, type Value } from "./value.ts";

/** Runs `visit` on the elements of a list or the keys of a map until it answers; each costs the body's size. */
function forEach(
  frame: Frame,
  range: Node,
  slot: number,
  cost: number,
  visit: () => Outcome | undefined,
): Outcome | undefined {
  const container = range.run(frame);
  if (container instanceof Failure) return container;
  if (isSpent(frame)) return costFailure;
  const items: readonly Value[] | undefined = isList(container)
    ? container
    : isAnyMap(container)
      ? keysOf(container)
      : undefined;
  if (!items) return typeConfusion("a macro over the elements", container);
  if (!isList(container) && !spend(frame, 3 * items.length)) return costFailure;
  for (const item of items) {
    frame.meter.steps -= cost;
    if (frame.meter.steps < 0) return costFailure;
    frame.locals[slot] = item;
    const answer = visit();
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function asFailure(outcome: Outcome): Failure {
  return outcome instanceof Failure ? outcome : typeConfusion("a macro's condition", outcome);
}

/** `all` and `exists`: the deciding value wins over elements that are unknown. */
export function quantify(range: Node, slot: number, body: Node, decides: boolean): Run {
  const cost = body.size + 1;
  return (frame) => {
    let failure: Failure | undefined;
    const decided = forEach(frame, range, slot, cost, () => {
      const value = body.run(frame);
      if (value === decides) return decides;
      if (value !== !decides) failure ??= asFailure(value);
      return undefined;
    });
    return decided ?? failure ?? !decides;
  };
}

export function existsOne(range: Node, slot: number, body: Node): Run {
  const cost = body.size + 1;
  return (frame) => {
    let count = 0;
    const failed = forEach(frame, range, slot, cost, () => {
      const value = body.run(frame);
      if (value === true) count++;
      return typeof value === "boolean" ? undefined : asFailure(value);
    });
    return failed ?? count === 1;
  };
}

/** `filter` and `map`, with or without a condition. */
export function collect(range: Node, slot: number, condition: Node | undefined, body: Node): Run {
  const cost = body.size + (condition?.size ?? 0) + 1;
  return (frame) => {
    const collected: Value[] = [];
    const failed = forEach(frame, range, slot, cost, () => {
      const wanted = condition ? condition.run(frame) : true;
      if (wanted === false) return undefined;
      if (wanted !== true) return asFailure(wanted);
      const value = body.run(frame);
      if (value instanceof Failure) return value;
      collected.push(value);
      return undefined;
    });
    return failed ?? collected;
  };
}
