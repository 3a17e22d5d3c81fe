export { type Behaviour, createBehaviour } from "./behaviour.ts";
export type { BehaviourStore, Reset, Trailed } from "./behaviour-store.ts";
export { type CallLimits, DEFAULT_CALL_LIMITS, NO_CALL_LIMITS } from "./breaker.ts";
export type { CallEvent, DenialClass, EndEvent, TripEvent } from "./event.ts";
export { codeOf, judgeCall, type Stopped } from "./judge-call.ts";
export { HORIZON_MS, type RunMemory, TRIP_MEMORY_MS } from "./memory.ts";
export { type SpendingAlarm, type SpendingSettings, spendingAlarm } from "./spending.ts";
export { eventFrom, trailOf } from "./trail.ts";
