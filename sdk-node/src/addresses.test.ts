import { expect, test } from "vitest";
import { manualTimers } from "../test/support/manual-timers.ts";
import { createAddresses } from "./addresses.ts";

const three = ["a:1", "b:1", "c:1"];

test("addresses that are well are picked by chance, and another than the one to avoid", () => {
  let chance = 0;
  const addresses = createAddresses(three, manualTimers(), () => chance);
  expect(addresses.pick()).toBe("a:1");
  expect(addresses.pick("a:1")).toBe("b:1");
  chance = 0.99;
  expect(addresses.pick()).toBe("c:1");
  expect(addresses.pick("c:1")).toBe("b:1");
});

test("one that failed rests, longer each time, and is forgiven when it works again", () => {
  const timers = manualTimers();
  const addresses = createAddresses(three, timers, () => 0);
  const restsFor = (): number => {
    let ms = 0;
    while (!addresses.rested("a:1")) {
      timers.advance(1);
      ms++;
    }
    return ms;
  };
  addresses.failed("a:1");
  // Calls that were in flight together fail together.
  addresses.failed("a:1");
  expect(addresses.pick()).toBe("b:1");
  expect(restsFor()).toBe(50);
  addresses.failed("a:1");
  expect(restsFor()).toBe(100);
  for (let times = 0; times < 20; times++) {
    addresses.failed("a:1");
    timers.advance(5_000);
  }
  addresses.failed("a:1");
  expect(restsFor()).toBe(2_500);
  addresses.worked("a:1");
  addresses.failed("a:1");
  expect(restsFor()).toBe(50);
});

test("when all have failed, the one whose rest ends first is tried, whichever it is", () => {
  const timers = manualTimers();
  const addresses = createAddresses(three, timers, () => 0);
  for (const address of ["b:1", "c:1", "a:1"]) {
    addresses.failed(address);
    timers.advance(1);
  }
  expect(addresses.pick()).toBe("b:1");
  expect(addresses.pick("b:1")).toBe("b:1");
});

test("a single address is picked whatever becomes of it", () => {
  const addresses = createAddresses(["a:1"], manualTimers(), () => 0.5);
  expect(addresses.pick("a:1")).toBe("a:1");
  addresses.failed("a:1");
  expect(addresses.pick("a:1")).toBe("a:1");
});
