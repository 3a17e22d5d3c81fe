import { readFileSync } from "node:fs";
import {
  type Compiled,
  type CompileSource,
  compileInSlices,
  evaluate,
  type JsonObject,
} from "../../services/engine/src/index.ts";
import { createReader } from "../../services/pdp/src/reading/index.ts";
import { facts as plainFacts } from "../growth/src/tenant.ts";
import { type Case, many, tool } from "./catalogue.ts";
import { prepareWith } from "./turns.ts";

const bundleAt = (path: string) => readFileSync(new URL(path, import.meta.url)).toString("base64");
const hostile = bundleAt("../../services/engine/test/languages/rego/hostile.tar.gz");

function inLanguage(language: "rego" | "cedar", spec: object, name = "p"): CompileSource {
  const document = {
    ...({ apiVersion: "remit/v1", kind: "Policy", metadata: { name } } as const),
    spec: { mode: "enforce" as const, language, match: { tools: ["pay"] }, rules: [], ...spec },
  };
  return { tools: [tool()], policies: [{ document, version: 1 }] };
}

/** Cedar's code is loaded before anything is timed, as it is where a tenant's policies are in it already. */
const compiling = (name: string, source: () => CompileSource, first?: () => CompileSource): Case => ({
  name: `compile: ${name}`,
  make: () => {
    const made = source();
    const before = first?.();
    const { cedar: readCedar } = createReader();
    return prepareWith(
      async (pause) => before && void (await compileInSlices(before, { readCedar }, pause)),
      async (pause) => {
        const { problems } = await compileInSlices(made, { readCedar }, pause);
        if (problems.length > 0)
          process.stderr.write(`${name}: ${problems.length} problems, ${problems[0]?.message}\n`);
      },
    );
  },
});

/** Twice: the first call of a bundle has its machine code made. */
const deciding = (name: string, source: () => CompileSource, input: () => JsonObject): Case => ({
  name: `decide: ${name}`,
  make: () => {
    const facts = { ...plainFacts, call: { ...plainFacts.call, tool: "pay" }, input: input() };
    let compiled: Compiled | undefined;
    return prepareWith(
      async (pause) => {
        compiled = (await compileInSlices(source(), {}, pause)).compiled;
        if (!compiled) throw new Error(`${name} does not compile`);
        evaluate(compiled, facts);
      },
      () => compiled && evaluate(compiled, facts),
    );
  },
});

const regoOf = (entrypoint: string, more: object = {}) =>
  inLanguage("rego", { bundle: hostile, entrypoint: `hostile/${entrypoint}`, ...more });

const schema = `entity Agent { owner: String } tags String;
entity Tool;
action "pay" appliesTo { principal: Agent, resource: Tool, context: { input: { n: Long, a: String } } };`;
const cedarRules = (count: number, text: (at: number) => string) =>
  many(count, (at) => `@id("r${at}") @effect("allow") permit (principal, action, resource) when { ${text(at)} };`).join(
    "\n",
  );
const cedarOf = (source: string) => inLanguage("cedar", { source, schema });
const small = () => cedarOf(cedarRules(1, () => "context.input.n > 1"));
/** As many as an evaluation may take, and as long as a source may be. */
const longTexts = () => cedarRules(110, (at) => `context.input.a == "${"x".repeat(480)}${at}"`);
const manyRules = () => cedarRules(120, (at) => `context.input.n > ${at}`);
/** As many words as an evaluation may take, in few policies. */
const manyWords = () => cedarRules(10, (at) => many(60, (n) => `context.input.n > ${1_000 + at + n}`).join(" || "));
const manyActions = `${schema}\n${many(
  500,
  (at) =>
    `action "a${at}" appliesTo { principal: Agent, resource: Tool, context: { input: { n: Long, a: String, b: Set<String> } } };`,
).join("\n")}`;
const wrong = () => cedarRules(700, (at) => `context.inptu.n > ${at}`);
const tooMany = () => cedarRules(700, (at) => `context.input.n > ${at}`);

/** Policies in other languages, at their limits. */
export const languages: readonly Case[] = [
  compiling("Rego: a bundle with data of 50 KB", () => regoOf("echo", { data: { ballast: "x".repeat(50_000) } })),
  compiling("Rego: a bundle with data of 4,000 values", () =>
    regoOf("echo", { data: { ballast: many(4_000, (at) => ({ [`k${at}`]: at })) } }),
  ),
  deciding(
    "Rego: all instructions that a decision has",
    () => regoOf("loop"),
    () => ({ list: many(300, (at) => `item ${at}`) }),
  ),
  deciding(
    "Rego: 8 policies that throw",
    () => ({
      tools: [tool()],
      policies: many(
        8,
        (at) => inLanguage("rego", { bundle: hostile, entrypoint: "hostile/verb" }, `p${at}`).policies,
      ).flat(),
    }),
    () => ({}),
  ),
  deciding(
    "Rego: 40 KB and data of 50 KB",
    () => regoOf("echo", { data: { ballast: "x".repeat(50_000) } }),
    () => ({ a: "x".repeat(40_000) }),
  ),
  deciding(
    "Rego: 4,000 values",
    () => regoOf("echo"),
    () => ({ a: many(4_000, (at) => at) }),
  ),
  compiling("Cedar: the first policy of a process", small),
  compiling("Cedar: 64 KB of long texts", () => cedarOf(longTexts()), small),
  compiling("Cedar: as many policies as an evaluation may take", () => cedarOf(manyRules()), small),
  compiling("Cedar: 700 policies, which are too many", () => cedarOf(tooMany()), small),
  compiling("Cedar: as many words as an evaluation may take", () => cedarOf(manyWords()), small),
  compiling("Cedar: 700 policies, each of which is wrong", () => cedarOf(wrong()), small),
  compiling("Cedar: a schema of 64 KB", () => inLanguage("cedar", { source: manyRules(), schema: manyActions }), small),
  deciding(
    "Cedar: 64 KB of long texts",
    () => cedarOf(longTexts()),
    () => ({ n: 1, a: "x".repeat(40_000) }),
  ),
  deciding(
    "Cedar: as many policies as may be",
    () => cedarOf(manyRules()),
    () => ({ n: 1_000, a: "x" }),
  ),
];
