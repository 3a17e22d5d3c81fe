/** Has work done of which only so much is under way; the rest waits, in the order in which it came. */
export type FewAtOnce = <Value>(work: () => Promise<Value>) => Promise<Value>;

export function createFewAtOnce(most: number): FewAtOnce {
  const waiting: (() => void)[] = [];
  let underWay = 0;
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else underWay--;
  };
  return async (work) => {
    if (underWay < most) underWay++;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
