import { describe, expect, it } from "vitest";
import { conformance, conformancePage, exceptionList } from "./conformance/page.ts";
import { reasons } from "./conformance/reasons.ts";

describe("CEL's official conformance data", () => {
  const outcome = conformance();

  it("passes but for declared differences, each with a reason", () => {
    const known = Object.keys(reasons);
    expect(outcome.exceptions.filter(({ reason }) => !known.includes(reason))).toEqual([]);
    expect(new Set(outcome.exceptions.map(({ reason }) => reason)).size).toBe(known.length);
  });

  it("passes but for exactly the listed cases", async () => {
    await expect(exceptionList(outcome)).toMatchFileSnapshot("conformance/exceptions.txt");
  });

  it("is counted in the documentation", async () => {
    await expect(conformancePage(outcome)).toMatchFileSnapshot("../../../docs/cel-conformance.md");
  });
});
