import { describe, expect, it } from "vitest";
import { nearestName } from "./nearest.ts";

describe("the nearest name", () => {
  const names = ["effect", "match", "when", "unless", "id"];

  it.each([
    ["efect", "effect"],
    ["effcet", "effect"],
    ["Effect", "effect"],
    ["mach", "match"],
    ["whne", "when"],
    ["ids", "id"],
  ])("to %s is %s", (name, nearest) => expect(nearestName(name, names)).toBe(nearest));

  it.each(["colour", "x", "", "effectively", "a".repeat(1000)])("to %j is none of them", (name) => {
    expect(nearestName(name, names)).toBeUndefined();
  });

  it("is found among very many that are nothing like it, and not looked for in all that are", () => {
    const many = Array.from({ length: 2_000 }, (_, at) => `zq${at}`);
    expect(nearestName("efect", [...many, ...names])).toBe("effect");
    let asked = 0;
    const alike = function* () {
      for (; ; asked++) yield `payments.transfer.${asked}xyz`;
    };
    expect(nearestName("payments.transfer.abc", alike())).toMatch(/^payments.transfer/);
    expect(asked).toBeLessThan(1_000);
  });

  it("is another name, not the name itself", () => expect(nearestName("when", names)).toBeUndefined());
});
