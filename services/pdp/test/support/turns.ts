/** Counts the turns of the event loop from now on: `now` is the present one, until `stop` is called. */
export function countTurns() {
  let turn = 0;
  const count = () => {
    turn++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  return { now: () => turn, stop: () => clearImmediate(counting) };
}

/** Of what came in these turns, the most that came in one. */
export const mostInOneTurn = (turns: readonly number[]): number =>
  Math.max(...[...Map.groupBy(turns, (turn) => turn).values()].map((some) => some.length));
