import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import type { ServiceError } from "@grpc/grpc-js";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "@remit/proto/health";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { createConnectLane } from "../../src/wire/lanes/connect.ts";
import { serveHealth } from "../../src/wire/lanes/health.ts";
import { grpcDoor } from "./doors.ts";
import { createSwitch, type House, messageBytesMax, openHouse } from "./house.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
const service = "remit.v1.DecisionService";

let house: House;
let door: ReturnType<typeof grpcDoor>;
beforeEach(async () => {
  house = await openHouse();
  door = grpcDoor(house);
});
afterEach(async () => {
  door.close();
  await house.close();
});

const write = (name: string) =>
  Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service: name })));
const read = (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes);

function check(name: string): Promise<HealthCheckResponse_ServingStatus> {
  return new Promise((resolve, reject) => {
    door.client.makeUnaryRequest("/grpc.health.v1.Health/Check", write, read, name, (error, answer) =>
      error ? reject(error) : resolve(answer?.status ?? SERVICE_UNKNOWN),
    );
  });
}

/** A watch, and everything it has said. */
function watch(name: string) {
  const call = door.client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", write, read, name);
  const said: HealthCheckResponse_ServingStatus[] = [];
  let end: number | undefined;
  call.on("data", ({ status }) => said.push(status));
  call.on("error", () => {});
  call.on("status", ({ code }) => {
    end = code;
  });
  return { said, ended: () => end, cancel: () => call.cancel() };
}

test("Check tells whether the service is ready, by name and for all", async () => {
  expect(await check("")).toBe(SERVING);
  expect(await check(service)).toBe(SERVING);
  house.health.set(false);
  expect(await check("")).toBe(NOT_SERVING);
  expect(await check(service)).toBe(NOT_SERVING);
});

test("Check of a service that nobody serves is NOT_FOUND", async () => {
  const error = await check("remit.v1.TimeMachine").catch((reason: ServiceError) => reason);
  expect(error).toMatchObject({ code: 5 });
  const [packed] = (error as ServiceError).metadata.get("grpc-status-details-bin");
  expect(String(packed)).toContain("service_unknown");
});

test("Watch tells the status at once and then every change of it, once", async () => {
  const watching = watch(service);
  await vi.waitFor(() => expect(watching.said).toEqual([SERVING]));
  house.health.set(true);
  house.health.set(false);
  await vi.waitFor(() => expect(watching.said).toEqual([SERVING, NOT_SERVING]));
  house.health.set(true);
  await vi.waitFor(() => expect(watching.said).toEqual([SERVING, NOT_SERVING, SERVING]));
  watching.cancel();
  await vi.waitFor(() => expect(house.health.subscribers()).toBe(0));
});

test("Watch of a service that nobody serves stays open and says so", async () => {
  const watching = watch("remit.v1.TimeMachine");
  await vi.waitFor(() => expect(watching.said).toEqual([SERVICE_UNKNOWN]));
  house.health.set(false);
  expect(await check("")).toBe(NOT_SERVING);
  expect(watching.said).toEqual([SERVICE_UNKNOWN]);
  expect(watching.ended()).toBeUndefined();
  watching.cancel();
});

test("when the lane drains, watchers are told NOT_SERVING and let go", async () => {
  const watching = watch("");
  await vi.waitFor(() => expect(watching.said).toEqual([SERVING]));
  await house.grpcLane.drain(30_000);
  await vi.waitFor(() => expect(watching.ended()).toBe(0));
  expect(watching.said).toEqual([SERVING, NOT_SERVING]);
  expect(house.health.subscribers()).toBe(0);
});

test("a stream of answers to one request works on the Connect lane, too", async () => {
  const health = createSwitch();
  const served = serveHealth([service], health, () => false);
  const lane = createConnectLane({ services: [served], log: silentLog, messageBytesMax });
  const client = createClient(Health, createRouterTransport(lane.routes));
  const hangUp = new AbortController();
  const answers = client.watch({ service }, { signal: hangUp.signal })[Symbol.asyncIterator]();
  expect((await answers.next()).value?.status).toBe(SERVING);
  health.set(false);
  expect((await answers.next()).value?.status).toBe(NOT_SERVING);
  hangUp.abort();
  await expect(answers.next()).rejects.toThrow();
  await vi.waitFor(() => expect(health.subscribers()).toBe(0));
});
