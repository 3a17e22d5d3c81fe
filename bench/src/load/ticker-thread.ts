import { workerData } from "node:worker_threads";

// The other half of ticker.ts: sleep when asked, wake the asker, sleep again.
const shared: SharedArrayBuffer = workerData;
const counters = new Int32Array(shared, 0, 2);
const until = new BigInt64Array(shared, 8, 1);
const never = new Int32Array(new SharedArrayBuffer(4));

let asked = 0;
for (;;) {
  Atomics.wait(counters, 0, asked);
  asked = Atomics.load(counters, 0);
  const restMs = Number((until[0] ?? 0n) - process.hrtime.bigint()) / 1_000_000;
  if (restMs > 0) Atomics.wait(never, 0, 0, restMs);
  Atomics.add(counters, 1, 1);
  Atomics.notify(counters, 1);
}
