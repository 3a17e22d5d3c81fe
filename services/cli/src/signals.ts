const SAME_KEYPRESS_MS = 1000;

/**
 * Waits for the first SIGINT or SIGTERM. npm hands a Ctrl-C on a second time, so another one within a second is the
 * same; one that comes later is a person who will not wait, and `force` is called.
 */
export async function stopSignal(
  source: NodeJS.Process,
  now: () => number,
  force: () => void,
): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    let firstMs: number | undefined;
    const receive = (signal: NodeJS.Signals) => {
      if (firstMs === undefined) {
        firstMs = now();
        resolve(signal);
      } else if (now() - firstMs >= SAME_KEYPRESS_MS) {
        force();
      }
    };
    source.on("SIGINT", receive);
    source.on("SIGTERM", receive);
  });
}
