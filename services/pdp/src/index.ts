export { type Config, formatConfigProblems, loadConfig } from "./config/index.ts";
export { type Clock, settableClock, systemClock } from "./foundation/clock.ts";
export { Fault } from "./foundation/fault.ts";
export type { Log } from "./foundation/log.ts";
export { activateEngine } from "./server/engine.ts";
export { type PdpOptions, type RunningPdp, startPdp } from "./server/pdp.ts";
export { recoverStore } from "./server/recover.ts";
export { migrate } from "./stores/migrate.ts";
export { createLog } from "./telemetry/index.ts";
