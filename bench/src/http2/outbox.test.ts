import { expect, test } from "vitest";
import { frameHeaderBytes } from "./frames.ts";
import { outbox, windowBytesDefault } from "./outbox.ts";

function sentBodies(): { box: ReturnType<typeof outbox>; sent(): string; frames: Buffer[] } {
  const frames: Buffer[] = [];
  return {
    box: outbox((bytes) => frames.push(bytes)),
    frames,
    sent: () => Buffer.concat(frames.map((bytes) => bytes.subarray(frameHeaderBytes))).toString(),
  };
}

test("bytes beyond the window wait, and leave in order when it widens", () => {
  const { box, sent, frames } = sentBodies();
  box.setInitial(4);
  box.open(1);
  box.send(1, Buffer.from("abcdef"), false);
  box.send(1, Buffer.from("gh"), true);
  expect(sent()).toBe("abcd");
  box.widen(1, 1);
  expect(sent()).toBe("abcde");
  box.widen(1, 9);
  expect(sent()).toBe("abcdefgh");
  expect(frames.map((bytes) => bytes[4])).toEqual([0, 0, 0, 1]);
});

test("the connection's window holds back what a stream's own would allow", () => {
  const { box, sent } = sentBodies();
  box.setInitial(10 * windowBytesDefault);
  box.open(1);
  box.send(1, Buffer.alloc(windowBytesDefault + 3, "x"), true);
  expect(sent().length).toBe(windowBytesDefault);
  box.widen(0, 3);
  expect(sent().length).toBe(windowBytesDefault + 3);
});

test("what waited is a copy: the caller may use its buffer again at once", () => {
  const { box, sent } = sentBodies();
  box.setInitial(0);
  box.open(1);
  const bytes = Buffer.from("mine");
  box.send(1, bytes, true);
  bytes.fill("-");
  box.widen(1, 4);
  expect(sent()).toBe("mine");
});
