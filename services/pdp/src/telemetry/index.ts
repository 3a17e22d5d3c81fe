export { createLog } from "./log.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
