import { expect, test } from "vitest";
import { byteaArray, dateArray, int8Array, textArray, timestamptzArray, uuidArray } from "./binary-array.ts";

const hex = (bytes: Buffer) => bytes.toString("hex");
const head = (oid: string, count: string, nulls = "00000000") => `00000001${nulls}${oid}${count}00000001`;

test("an array is its head, and every element behind its length", () => {
  expect(hex(textArray(["é", ""]))).toBe(`${head("00000019", "00000002")}00000002c3a900000000`);
  expect(hex(int8Array([-1n]))).toBe(`${head("00000014", "00000001")}00000008ffffffffffffffff`);
});

test("a null is a length of -1, and the head says that there is one", () => {
  const nulls = head("00000011", "00000002", "00000001");
  expect(hex(byteaArray([undefined, Uint8Array.of(7)]))).toBe(`${nulls}ffffffff0000000107`);
  expect(hex(uuidArray([undefined]))).toBe(`${head("00000b86", "00000001", "00000001")}ffffffff`);
});

test("days and times count from 2000-01-01", () => {
  expect(hex(dateArray(["2000-01-02", "1999-12-31"]))).toBe(
    `${head("0000043a", "00000002")}000000040000000100000004ffffffff`,
  );
  expect(hex(timestamptzArray([Date.UTC(2000, 0, 1, 0, 0, 0, 1)]))).toBe(
    `${head("000004a0", "00000001")}0000000800000000000003e8`,
  );
});

test("what is no UUID, day or 64-bit integer is refused", () => {
  expect(() => uuidArray(["01900000-0000-7000-8000-00000000000g"])).toThrow(RangeError);
  expect(() => uuidArray(["01900000"])).toThrow(RangeError);
  expect(() => dateArray(["2026-13-01"])).toThrow(RangeError);
  expect(() => int8Array([2n ** 63n])).toThrow(RangeError);
});
