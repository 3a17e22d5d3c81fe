import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policyText, sampleFacts, schemaDigest, toolText } from "../../test/sample.ts";
import { type Compiled, type CompileSource, compile, evaluate, parseDocuments } from "../index.ts";

const text = (limit: number) => ({ type: "object", properties: { a: { type: "integer", maximum: limit } } });
const documentsOf = (file: string, written: string) => parseDocuments([{ file, text: written }]).documents;
const toolOf = (name: string, limit: number) =>
  documentsOf("t.json", toolText(name, { inputSchema: text(limit) })).tools;
const policyOf = (name: string, limit: number) => {
  const rule = { id: "r", match: { tools: ["*"] }, effect: "allow", when: `input.a < ${limit}` };
  return documentsOf("p.json", policyText([rule], {}, name)).policies;
};

function source(tools: CompileSource["tools"], policies: CompileSource["policies"][number]["document"][]) {
  return { tools, policies: policies.map((document) => ({ document, version: 1 })), schemaDigest };
}

function compiled(next: CompileSource, last?: Compiled): Compiled {
  const { compiled: result, problems } = compile(next, { last });
  if (!result) throw new Error(JSON.stringify(problems));
  return result;
}

const names = ["a", "b", "c", "d", "e", "f"];
const tools = names.flatMap((name) => toolOf(name, 5));
const policies = [...policyOf("p", 3), ...policyOf("q", 9)];

/** How many tools of `next` are not the very ones of `last`. */
const made = (next: Compiled, last: Compiled) =>
  [...next.tools].filter(([name, tool]) => last.tools.get(name) !== tool).length;

describe("compiling again", () => {
  it("makes what has changed and nothing else", () => {
    const first = compiled(source(tools, policies));
    expect(made(compiled(source(tools, policies)), first)).toBe(names.length);
    expect(made(compiled(source(tools, policies), first), first)).toBe(0);
    const replaced = compiled(source([...tools.slice(1), ...toolOf("a", 7)], policies), first);
    expect(made(replaced, first)).toBe(1);
    expect(replaced.policies).toBe(first.policies);
    expect(made(compiled(source([...tools, ...toolOf("g", 1)], policies), first), first)).toBe(1);
    expect(compiled(source(tools.slice(1), policies), first).tools.has("a")).toBe(false);
  });

  it("indexes every tool anew when a policy changes, by the checks and policies that are there", () => {
    const first = compiled(source(tools, policies));
    const [p] = policies;
    if (!p) throw new Error("no policy");
    const next = compiled(source(tools, [p, ...policyOf("q", 1)]), first);
    expect(made(next, first)).toBe(names.length);
    for (const [name, tool] of next.tools) expect(tool.checkInput).toBe(first.tools.get(name)?.checkInput);
    expect(next.policies.map((policy, at) => policy === first.policies[at])).toEqual([true, false]);
  });

  it("still compares every policy with the tools as they are now", () => {
    const rule = { id: "r", match: { tools: ["a"] }, effect: "allow", when: "input.a < 3" };
    const [document] = parseDocuments([{ file: "p.json", text: policyText([rule]) }]).documents.policies;
    if (!document) throw new Error("no policy");
    const first = compiled(source(tools, [document]));
    const closed = { inputSchema: { type: "object", properties: {}, additionalProperties: false } };
    const { documents } = parseDocuments([{ file: "t.json", text: toolText("a", closed) }]);
    const next = compile(source(documents.tools, [document]), { last: first });
    expect(next.compiled).toBeUndefined();
    expect(next.problems.map(({ message }) => message)).toEqual(["the input of a has no `input.a`"]);
    const gone = compile(source([], [document]), { last: first, strict: true });
    expect(gone.problems.map(({ message }) => message)).toEqual(["no tool `a` is registered"]);
  });

  it("keeps what was said of many tools until one of them changes, whichever come beside them", () => {
    const many = Array.from({ length: 40 }, (_, at) => toolOf(`a${at}`, 5)).flat();
    const rule = { id: "r", match: { tools: ["a*"] }, effect: "allow", when: "input.a.startsWith('x')" };
    const { policies: spoken } = parseDocuments([{ file: "p.json", text: policyText([rule]) }]).documents;
    const [document] = spoken;
    if (!document) throw new Error("no policy");
    const first = compiled(source(many, [document]));
    const isKept = (next: Compiled) => next.policies[0] === first.policies[0];
    const before = toolOf("0", 5);
    const beside = compiled(source([...before, ...many], [document]), first);
    expect(isKept(beside)).toBe(true);
    expect(isKept(compiled(source([...many].reverse(), [document]), beside))).toBe(true);
    const [gone, ...others] = many;
    if (!gone) throw new Error("no tool");
    // What is complained of names how many they are, so the rule is not the same to fewer, to more or to others.
    expect(isKept(compiled(source([...before, ...others], [document]), beside))).toBe(false);
    expect(isKept(compiled(source([...many, ...toolOf("a99", 5)], [document]), beside))).toBe(false);
    expect(isKept(compiled(source([...toolOf("a0", 7), ...others], [document]), beside))).toBe(false);
  });

  it("judges like compiling for the first time, whatever changed how often", () => {
    const limit = fc.integer({ min: 0, max: 3 });
    const some = ["a", "b", "c"];
    const step = fc.record({
      tools: fc.dictionary(fc.constantFrom(...some), limit, { maxKeys: 2 }),
      policies: fc.dictionary(fc.constantFrom("p", "q"), limit, { maxKeys: 1 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 4 }), limit, (steps, a) => {
        const known = new Map<string, ReturnType<typeof toolOf>>();
        const published = new Map<string, ReturnType<typeof policyOf>>();
        let last: Compiled | undefined;
        for (const change of steps) {
          for (const [name, most] of Object.entries(change.tools)) known.set(name, toolOf(name, most));
          for (const [name, most] of Object.entries(change.policies)) published.set(name, policyOf(name, most));
          const now = source([...known.values()].flat(), [...published.values()].flat());
          last = compiled(now, last);
          const anew = compiled(now);
          for (const tool of some) {
            const facts = sampleFacts({ tool, input: { a } });
            expect(evaluate(last, facts)).toEqual(evaluate(anew, facts));
          }
        }
      }),
      { numRuns: 25 },
    );
  });
});
