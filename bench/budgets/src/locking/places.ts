/** Those who work one at a time, lent out to whoever has waited longest. */
export interface Places<Worker> {
  /** Runs once a worker is free, and gives it back. Throws what `full` makes when too many wait. */
  use<Value>(work: (worker: Worker) => Promise<Value>): Promise<Value>;
  readonly waiting: number;
}

export function createPlaces<Worker>(
  workers: readonly Worker[],
  waitingMax: number,
  full: () => Error,
): Places<Worker> {
  const free = [...workers];
  const waiting: ((worker: Worker) => void)[] = [];
  return {
    get waiting() {
      return waiting.length;
    },
    async use(work) {
      const worker = free.pop() ?? (await next());
      try {
        return await work(worker);
      } finally {
        const first = waiting.shift();
        if (first) first(worker);
        else free.push(worker);
      }
    },
  };

  function next(): Promise<Worker> {
    if (waiting.length >= waitingMax) throw full();
    return new Promise((resolve) => waiting.push(resolve));
  }
}
