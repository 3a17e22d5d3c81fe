import fc from "fast-check";
import { expect, it } from "vitest";
import { globFits } from "../../test/naive.ts";
import { nextOf, noNumber } from "./number-set.ts";
import { indexSelectors, selectorKey } from "./selectors.ts";
import { finish } from "./steps.ts";

const glob = fc.constantFrom("*", "a*", "*b", "*a*", "ab", "b*a");
const name = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 }).map((letters) => letters.join(""));
const match = fc.record({
  tools: fc.option(fc.array(glob, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  servers: fc.option(fc.array(glob, { minLength: 1, maxLength: 2 }), { nil: undefined }),
});
const fits = (globs: readonly string[] | undefined, text: string | undefined) =>
  !globs || (text !== undefined && globs.some((one) => globFits(one, text)));

it("hundreds of matches are found for a tool as by trying each, where several of their globs fit", () => {
  fc.assert(
    fc.property(fc.array(match, { minLength: 1, maxLength: 4 }), name, fc.option(name), (kinds, tool, server) => {
      // Each of another tool as well, which nobody has registered.
      const matches = Array.from({ length: 400 }, (_, at) => {
        const { tools = ["*"], servers } = kinds[at % kinds.length] as (typeof kinds)[number];
        return { tools: [...tools, `x${at}`], ...(servers && { servers }) };
      });
      const selectors = finish(indexSelectors(matches.map((one) => [selectorKey(one), one])));
      const facts = { name: tool, server: server ?? undefined, risk: "write", labels: {} };
      const set = finish(selectors.fitting(facts));
      const found: number[] = [];
      for (let at = nextOf(set, 0); at !== noNumber; at = nextOf(set, at + 1)) found.push(at);
      const meant = matches.flatMap(({ tools, servers }, at) =>
        fits(tools, tool) && fits(servers, facts.server) ? [at] : [],
      );
      expect(found).toEqual(meant);
    }),
    { numRuns: 100 },
  );
});
