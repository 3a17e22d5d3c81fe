import { expect, test } from "vitest";
import { createConnections } from "./grpc-connections.ts";

const from = (remotePort: number) => ({ remoteAddress: "::1", remotePort });

test("the calls of each connection are counted while they are open", () => {
  const connections = createConnections();
  const [one, other] = [connections.add(from(1)), connections.add(from(2))];
  const over = connections.began("::1:1");
  connections.began("::1:1");
  connections.began("::1:2");
  expect([one.calls(), other.calls()]).toEqual([2, 1]);
  over();
  expect([one.calls(), other.calls()]).toEqual([1, 1]);
});

test("a call that outlives its connection is not counted to a later one of the same address", () => {
  const connections = createConnections();
  const before = connections.add(from(1));
  const over = connections.began("::1:1");
  const later = connections.add(from(1));
  before.forget();
  connections.began("::1:1");
  over();
  expect([before.calls(), later.calls()]).toEqual([0, 1]);
  later.forget();
  connections.began("::1:1")();
  expect(later.calls()).toBe(1);
});
