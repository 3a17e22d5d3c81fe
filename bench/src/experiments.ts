import type { Load, RunResult } from "./load/spec.ts";
import type { Lane, Options } from "./options.ts";
import { type Comparison, compare, type Side } from "./run/compare.ts";
import type { Subject } from "./run/subject.ts";

export type RunOnce = (subject: Subject, lane: Lane, load: Load) => Promise<RunResult>;

const laneTitle: Record<Lane, string> = {
  unary: "unary gRPC",
  stream: "one Exchange stream",
  json: "unary Connect, JSON",
};

const inFlightSteps: Record<Lane, readonly number[]> = { unary: [32, 128], stream: [32, 128], json: [32] };
const steadyPerSecond = 2_000;

const guardedInFlight = [1, 32];

/** The whole of a guarded call as an agent's runtime makes it. There is no echo of it: it stands by itself. */
export async function measureGuarded(options: Options, run: (load: Load) => Promise<RunResult>): Promise<Comparison[]> {
  const done: Comparison[] = [];
  for (const inFlight of guardedInFlight) {
    const load = { kind: "closed", inFlight } as const;
    const side: Side = { name: "guard", load, run: () => run(load) };
    const title = `Node SDK, decide, run and report: ${inFlight} in flight`;
    done.push(await compare(`guard-closed-${inFlight}`, title, [side], options.rounds));
  }
  return done;
}

/**
 * One lane: one call in flight; a fixed 2,000 a second on the stream; closed loops for the most it can do; and an open
 * loop at half of what the last subject can do. The first subject is the reference of the ratios.
 */
export async function measureLane(
  lane: Lane,
  subjects: readonly Subject[],
  options: Options,
  runOnce: RunOnce,
  progress: (comparison: Comparison) => void,
): Promise<Comparison[]> {
  const done: Comparison[] = [];
  const step = async (id: string, title: string, load: Load) => {
    const sides = subjects.map(
      (subject): Side => ({ name: subject.name, load, run: () => runOnce(subject, lane, load) }),
    );
    const comparison = await compare(`${lane}-${id}`, `${laneTitle[lane]}: ${title}`, sides, options.rounds);
    progress(comparison);
    done.push(comparison);
    return comparison;
  };
  await step("alone", "1 in flight", { kind: "closed", inFlight: 1 });
  if (lane === "stream")
    await step("steady", `open loop, ${steadyPerSecond}/s`, { kind: "open", perSecond: steadyPerSecond });
  let most = 0;
  for (const inFlight of inFlightSteps[lane]) {
    const { sides } = await step(`closed-${inFlight}`, `${inFlight} in flight`, { kind: "closed", inFlight });
    most = Math.max(most, sides.at(-1)?.perSecond ?? 0);
  }
  const half = Math.max(1, Math.round(most / 2));
  await step("half", `open loop, half of own maximum: ${half}/s`, { kind: "open", perSecond: half });
  return done;
}
