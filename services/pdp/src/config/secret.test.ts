import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "./secret.ts";

const secret = new Secret("hunter2");

test("a secret is revealed only when asked to", () => {
  expect(secret.reveal()).toBe("hunter2");
});

test("no way of printing a secret shows it", () => {
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }, { depth: 9 }),
  ];
  for (const text of shown) {
    expect(text).toContain("[secret]");
    expect(text).not.toContain("hunter2");
  }
  expect(Object.values(secret)).toEqual([]);
});
