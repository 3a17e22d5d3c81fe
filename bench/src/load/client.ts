// The load generator's own process: reads a LoadSpec from standard input, applies the load, prints a LoadResult.
import { text } from "node:stream/consumers";
import { busyBetween, coreTimes } from "../run/core-times.ts";
import { openExchange } from "./exchange.ts";
import { openGuarded } from "./guarded.ts";
import { inspection } from "./inspect.ts";
import { closedLoop, type LoopResult, openLoop } from "./loops.ts";
import type { LoadResult, LoadSpec } from "./spec.ts";
import { openSteps } from "./steps.ts";
import type { Target } from "./target.ts";
import { startSleeper } from "./ticker.ts";
import { openUnary } from "./unary.ts";

function open(spec: LoadSpec): Promise<Target> {
  const { host, port, target, idPrefix } = spec;
  if (target.kind === "guarded") return openGuarded({ ...target, address: `${host}:${port}` });
  if (target.kind === "steps") return Promise.resolve(openSteps({ ...target, host, port, idPrefix }));
  const inspect = inspection(spec.inspect, target.kind === "unary" && target.lane === "connect-json");
  const decoded = (body: string) => Buffer.from(body, "base64");
  if (target.kind === "exchange")
    return openExchange({ ...target, calls: target.calls.map(decoded), host, port, idPrefix, inspect });
  const requests = target.requests.map((request) => ({ ...request, body: decoded(request.body) }));
  return openUnary({ ...target, requests, host, port, idPrefix, inspect });
}

async function apply(spec: LoadSpec, target: Target): Promise<LoopResult> {
  if (spec.load.kind === "closed") return closedLoop(target, spec.load.inFlight, spec.phases);
  const sleeper = await startSleeper();
  try {
    return await openLoop(target, sleeper, spec.load.perSecond, spec.phases);
  } finally {
    await sleeper.stop();
  }
}

const spec: LoadSpec = JSON.parse(await text(process.stdin));
const target = await open(spec);
const startMs = performance.now();
const startCores = coreTimes();
const startCpu = process.cpuUsage();
const result = await apply(spec, target);
const cpu = process.cpuUsage(startCpu);
const clientBusy = (cpu.user + cpu.system) / 1000 / (performance.now() - startMs);
const coresBusy = busyBetween(startCores, coreTimes());
target.close();
const whole: LoadResult = { ...result, clientBusy, coresBusy };
process.stdout.write(`${JSON.stringify(whole)}\n`, () => process.exit(0));
