export { createLog, type LogLevel, type LogOptions } from "./log.ts";
export { createMetrics, type Metrics, type MetricsOptions, type PulledMeters } from "./metrics.ts";
