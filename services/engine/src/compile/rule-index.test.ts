import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globFits } from "../../test/naive.ts";
import { compileTexts, policyText, toolText } from "../../test/sample.ts";
import { type JsonObject, parseDocuments } from "../index.ts";
import { type Compiled, compile, compileInSlices } from "./compile.ts";
import { indexGlobs } from "./glob-index.ts";
import { indexRules, type RuleIndex } from "./rule-index.ts";
import { finish, sliceCostMax } from "./steps.ts";
import type { RuleGroup } from "./tool-rules.ts";

const word = (max: number, letters: string) =>
  fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: max }).map((list) => list.join(""));
const glob = fc.oneof(fc.constant("*"), word(6, "abc*"));
const name = word(7, "abc");
const match = fc
  .record(
    {
      tools: fc.array(glob, { minLength: 1, maxLength: 3 }),
      servers: fc.array(glob, { minLength: 1, maxLength: 2 }),
      risk: fc.subarray(["read", "write", "destructive"], { minLength: 1 }),
    },
    { requiredKeys: [] },
  )
  .filter((one) => Object.keys(one).length > 0);
const labels = fc.dictionary(fc.constantFrom("team", "env", "tier"), fc.constantFrom("1", "2"), { maxKeys: 3 });
const question = fc.record({ id: fc.constantFrom("who", "why"), type: fc.constantFrom("string", "number") });
const rule = fc.record({
  match,
  of: fc.oneof(
    fc.constantFrom({ effect: "allow" }, { effect: "deny" }, { effect: "transform", set: { memo: "x" } }),
    question.map((one) => ({ effect: "clarify", questions: [{ ...one, ask: "?" }] })),
  ),
});
const policy = fc.record({ labels, rules: fc.array(rule, { minLength: 1, maxLength: 20 }) });
type Policy = typeof policy extends fc.Arbitrary<infer One> ? One : never;
type Tool = typeof tool extends fc.Arbitrary<infer One> ? One : never;
const tool = fc.record({
  name,
  risk: fc.constantFrom("read", "write", "destructive", "unclassified"),
  server: fc.option(name, { nil: undefined }),
});

const anyFits = (globs: readonly string[] | undefined, text: string | undefined) =>
  !globs || (text !== undefined && globs.some((glob) => globFits(glob, text)));

/** The rules about a tool, by reading every policy from top to bottom. */
const rulesAbout = ({ rules }: Policy, one: Tool) =>
  rules.flatMap(({ match, of }, place) => {
    const fits = anyFits(match.tools, one.name) && anyFits(match.servers, one.server);
    return fits && (!match.risk || match.risk.includes(one.risk)) ? [{ of, name: `r${place}` }] : [];
  });

/** The rules for a call in the order in which they are judged: those of a policy that transform before its others. */
function scanned(policies: readonly Policy[], one: Tool, carried: Record<string, string>): string[] {
  return policies.flatMap((policy, order) => {
    if (!Object.entries(policy.labels).every(([key, value]) => carried[key] === value)) return [];
    const about = rulesAbout(policy, one);
    const transforms = about.filter(({ of }) => of.effect === "transform");
    return [...transforms, ...about.filter((rule) => !transforms.includes(rule))].map(
      ({ name }) => `p${order}/${name}`,
    );
  });
}

const asked = (policies: readonly Policy[], one: Tool, id: string, type: string) =>
  policies.some((policy) =>
    rulesAbout(policy, one).some(
      ({ of }) => "questions" in of && of.questions.some((question) => question.id === id && question.type === type),
    ),
  );

const named = (groups: readonly RuleGroup[]) =>
  groups.flatMap(({ transforms, others }) => [...transforms, ...others].map(({ ref }) => `${ref.policy}/${ref.rule}`));

describe("globs by their literals", () => {
  it("are the ones that fit, each once", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(glob, { maxLength: 12 }),
        fc.array(name, { minLength: 1, maxLength: 5 }),
        (globs, names) => {
          const index = finish(indexGlobs(globs));
          for (const one of names) {
            const fitting = globs.flatMap((text, number) => (globFits(text, one) ? [number] : []));
            expect(index.fitting(one).sort((a, b) => a - b)).toEqual(fitting);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("the index", () => {
  it.each([
    { ofOne: 0, ofAll: 0 },
    { ofOne: 3, ofAll: 5 },
    { ofOne: 64, ofAll: 1000 },
  ])("finds what a scan finds, in its order, with up to $ofOne rules of one tool laid out", (laidOutMax) => {
    let met = 0;
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 6 }),
        fc.uniqueArray(tool, { minLength: 1, maxLength: 5, selector: (one) => one.name }),
        labels,
        (policies, tools, carried) => {
          const texts = policies.map(({ labels: matchLabels, rules }, order) =>
            policyText(
              rules.map(({ match, of }, place) => ({ id: `r${place}`, match, ...of }) as unknown as JsonObject),
              Object.keys(matchLabels).length > 0 ? { appliesTo: { agents: { matchLabels } } } : {},
              `p${order}`,
            ),
          );
          const index: RuleIndex = finish(indexRules(compileWarned(texts).policies, laidOutMax));
          for (const one of tools) {
            const rules = finish(index.rulesFor({ ...one, labels: {} }));
            const found = named(rules.groupsFor(carried));
            expect(found).toEqual(scanned(policies, one, carried));
            for (const id of ["who", "why"])
              for (const type of ["string", "number"])
                expect(rules.asks(id, type)).toBe(asked(policies, one, id, type));
            met += found.length;
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(met).toBeGreaterThan(100);
  });

  it("keeps the rules that every tool has once, whatever else each tool has", () => {
    const count = 300;
    const all = Array.from({ length: count }, (_, at) => at);
    const everywhere = all.map((at) => ({ id: `r${at}`, match: { tools: ["*"] }, effect: "deny" }));
    const own = all.map((at) =>
      policyText([{ id: "r", match: { tools: [`t${at}`] }, effect: "allow" }], {}, `own${at}`),
    );
    const { tools } = compileTexts(policyText(everywhere), ...own, ...all.map((at) => toolText(`t${at}`)));
    const shared = new Set(
      [...tools.values()].flatMap(({ rules }) => rules.groupsFor({}).filter(({ others }) => others.length === count)),
    );
    expect(shared.size).toBe(1);
    const last = tools.get("t7")?.rules.groupsFor({}) ?? [];
    expect(named(last).length).toBe(count + 1);
  });

  it("gives tools that the same rules match the very same rules", () => {
    const rules = [{ id: "r", match: { tools: ["a*"] }, effect: "allow" }];
    const { tools } = compileTexts(policyText(rules), toolText("a1"), toolText("a2"), toolText("b"));
    expect(tools.get("a1")?.rules).toBe(tools.get("a2")?.rules);
    expect(tools.get("b")?.rules).not.toBe(tools.get("a1")?.rules);
  });

  it("leads an agent past the policies of others, whichever of the labels they have in common", () => {
    const texts = Array.from({ length: 200 }, (_, at) =>
      policyText(
        [{ id: "r", match: { tools: ["pay"] }, effect: "allow" }],
        { appliesTo: { agents: { matchLabels: { env: "prod", team: `t${at}` } } } },
        `p${at}`,
      ),
    );
    const groups = compileTexts(...texts, toolText("pay")).tools.get("pay")?.rules;
    expect(named(groups?.groupsFor({ env: "prod", team: "t77", other: "x" }) ?? [])).toEqual(["p77/r"]);
    expect(groups?.groupsFor({ env: "prod" })).toEqual([]);
    expect(groups?.groupsFor({ team: "t77" })).toEqual([]);
  });
});

describe("compiling in slices", () => {
  it("pauses again and again, and gives what compiling at once gives", async () => {
    const rules = Array.from({ length: 400 }, (_, at) => ({
      id: `r${at}`,
      match: { tools: [`t${at}`] },
      effect: "allow",
      when: `input.amount < ${at} && input.country == "DE"`,
    }));
    const whole = compileWarned([policyText(rules), toolText("t7")]);
    const source = { policies: whole.policies, tools: [...whole.tools.values()].map(({ document }) => document) };
    let pauses = 0;
    const { compiled } = await compileInSlices(source, {}, async () => {
      pauses++;
    });
    expect(pauses).toBeGreaterThan((rules.length * 5) / sliceCostMax);
    expect(named(compiled?.tools.get("t7")?.rules.groupsFor({}) ?? [])).toEqual(["p/r7"]);
  });
});

/** Compiles documents whose only problems may be warnings. */
function compileWarned(texts: readonly string[]): Compiled {
  const { documents } = parseDocuments([{ file: "test.yaml", text: texts.join("\n---\n") }]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled } = compile({ policies, tools: documents.tools });
  if (!compiled) throw new Error("not compiled");
  return compiled;
}
