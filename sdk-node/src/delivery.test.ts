import { expect, test } from "vitest";
import { manualTimers } from "../test/support/manual-timers.ts";
import { createDelivery } from "./delivery.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function deliveryOf(deliver: (item: string) => Promise<void>) {
  const timers = manualTimers();
  const refused: string[] = [];
  const stuck: unknown[] = [];
  const delivery = createDelivery<string>({
    timers,
    random: () => 0,
    deliver,
    mayRetry: (error) => error === "later",
    refused: (item) => refused.push(item),
    stuck: (error) => stuck.push(error),
  });
  return { timers, refused, stuck, delivery };
}

test("while the other side does not take items, one rest serves them all, and it grows", async () => {
  const tried: string[] = [];
  let open = false;
  const { timers, stuck, delivery } = deliveryOf(async (item) => {
    tried.push(item);
    if (!open) throw "later";
  });
  delivery.add("a");
  await turn();
  delivery.add("b");
  await turn();
  expect(tried).toEqual(["a"]);
  timers.advance(25);
  await turn();
  expect(tried).toEqual(["a", "a", "b"]);
  open = true;
  timers.advance(24);
  await turn();
  expect(tried).toHaveLength(3);
  timers.advance(10_000);
  await turn();
  expect(tried.slice(3).toSorted()).toEqual(["a", "b"]);
  expect(stuck).toEqual(["later"]);
});

test("a refused item leaves, and the others go on", async () => {
  const { refused, delivery } = deliveryOf(async (item) => {
    if (item === "bad") throw "never";
  });
  for (const item of ["bad", "good"]) delivery.add(item);
  await turn();
  expect(refused).toEqual(["bad"]);
  expect(delivery.stop()).toEqual([]);
});

test("stopping answers what was not taken, in flight or waiting", async () => {
  const { delivery } = deliveryOf(() => new Promise(() => {}));
  for (let n = 0; n < 200; n++) delivery.add(`${n}`);
  await turn();
  expect(delivery.stop()).toHaveLength(200);
});

test("an item that waits can be taken back, one that is being sent cannot", async () => {
  const gate = Promise.withResolvers<void>();
  const sent: string[] = [];
  const { timers, delivery } = deliveryOf(async (item) => {
    sent.push(item);
    if (item === "refused for now" && sent.length === 1) throw "later";
    await gate.promise;
  });
  delivery.add("refused for now");
  await turn();
  delivery.add("waits");
  expect(delivery.remove("waits")).toBe(true);
  expect(delivery.remove("waits")).toBe(false);
  timers.advance(25);
  expect(delivery.remove("refused for now")).toBe(false);
  gate.resolve();
  await turn();
  expect(sent).toEqual(["refused for now", "refused for now"]);
});
