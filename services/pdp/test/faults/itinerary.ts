/** What is to happen: everything that was promised once, in an order of a seed, then again and again until it is over. */
export interface Itinerary<Name> {
  /** In the order in which they come. */
  readonly promised: readonly Name[];
  /** What comes next; null when all that was promised has come and it is over. */
  next(): Name | null;
}

export function planItinerary<Name>(
  names: readonly Name[],
  random: () => number,
  isOver: () => boolean,
): Itinerary<Name> {
  const shuffled = (): Name[] => {
    const left = [...names];
    return names.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
  };
  const promised = shuffled();
  let due = [...promised];
  let rounds = 0;
  return {
    promised,
    next() {
      if (rounds > 0 && isOver()) return null;
      const next = due.shift();
      if (due.length === 0) {
        rounds++;
        due = shuffled();
      }
      return next ?? null;
    },
  };
}

/** What was promised and did not happen. */
export function brokenPromises<Name>(promised: readonly Name[], happened: ReadonlyMap<Name, number>): string[] {
  return promised
    .filter((name) => (happened.get(name) ?? 0) === 0)
    .map((name) => `"${name}" was promised and did not happen`);
}
