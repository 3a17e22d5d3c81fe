import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactedPaths } from "./redacted-paths.ts";

const path = fc
  .array(fc.constantFrom("input", "a", "b", "*"), { minLength: 1, maxLength: 4 })
  .map((keys) => keys.join("."));

/** What one path hides, key by key. `*` is any member. */
function redactionHides(redacted: string, path: string): boolean {
  const below = path.split(".");
  return redacted.split(".").every((key, at) => at >= below.length || key === "*" || key === below[at]);
}

describe("redacted paths", () => {
  it("hide what any of them hides by itself", () => {
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), path, (redacted, asked) => {
        expect(redactedPaths(redacted).hide(asked)).toBe(redacted.some((one) => redactionHides(one, asked)));
      }),
    );
  });

  it("hide nothing where there are none", () => {
    expect(redactedPaths().hide("input.a")).toBe(false);
  });
});
