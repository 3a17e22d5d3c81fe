export { type Behaviour, createBehaviour } from "./behaviour.ts";
export type { BehaviourStore, Cursors, Reset, Trailed } from "./behaviour-store.ts";
export { type CallLimits, DEFAULT_CALL_LIMITS, NO_CALL_LIMITS } from "./breaker.ts";
export { type BehaviourEvent, type CallEvent, type DenialClass, type EndEvent, timeOfId } from "./event.ts";
export { codeOf, judgeCall, type Stopped } from "./judge-call.ts";
export type { RunMemory } from "./memory.ts";
export { eventFrom, type Tracked, trailOf } from "./trail.ts";
