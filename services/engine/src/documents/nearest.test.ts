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

  it("is another name, not the name itself", () => expect(nearestName("when", names)).toBeUndefined());
});
