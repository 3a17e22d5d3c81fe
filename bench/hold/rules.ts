import {
  type Compiled,
  type CompileSource,
  compileInSlices,
  evaluate,
  type Facts,
} from "../../services/engine/src/index.ts";
import { facts as plainFacts } from "../growth/src/tenant.ts";
import { type Case, many, policy, type Rule, rule, tool } from "./catalogue.ts";
import { prepareWith, settle } from "./turns.ts";

type Policy = CompileSource["policies"][number];

/** Calls of one tool after the other, each in a turn of its own, of a tenant that was compiled a while ago. */
const calling = (name: string, source: () => CompileSource, more: Partial<Facts> = {}, tools = ["pay"]): Case => ({
  name: `rules: ${name}`,
  make: () => {
    const made = source();
    let compiled: Compiled | undefined;
    return prepareWith(
      async (pause) => {
        const { compiled: found, problems } = await compileInSlices(made, {}, pause);
        if (!found) throw new Error(`${name}: ${problems[0]?.message}`);
        compiled = found;
        await settle(pause);
      },
      async (pause) => {
        for (const called of tools) {
          const call = { ...plainFacts.call, ...more.call, tool: called };
          if (compiled) evaluate(compiled, { ...plainFacts, input: { a: 1 }, ...more, call });
          await pause();
        }
      },
    );
  },
});

const rulesMax = 10_000;
const policiesMax = 1_000;

/** As many rules as a tenant may have, in policies of a thousand. */
const inPolicies = (ruleAt: (at: number) => Partial<Rule>, perPolicy = 1_000, count = rulesMax): Policy[] =>
  many(count / perPolicy, (of) => named(policy(many(perPolicy, (at) => rule(at, ruleAt(of * perPolicy + at)))), of));

const named = (one: Policy, of: number, spec: object = {}): Policy => ({
  ...one,
  document: { ...one.document, metadata: { name: `p${of}` }, spec: { ...one.document.spec, ...spec } },
});

const about =
  (ruleAt: (at: number) => Partial<Rule>, count = rulesMax) =>
  () => ({ tools: [tool()], policies: inPolicies(ruleAt, 1_000, count) });

/** As many as may match before the steps of a decision are used up, where what they tell takes none. */
const told = (ruleAt: (at: number) => Partial<Rule>) => about(ruleAt, 4_000);

const letters = [..."abcdefghijklmnopqrstuvwxyz"];
const letter = (at: number) => letters[Math.floor(at) % 26] ?? "";
/** A name that lacks letters of its own, and has every other one three times over. */
const nameAt = (at: number) => {
  const kept = letters.filter((_, of) => of !== at % 26 && of !== (7 * at) % 26).join("");
  return `${kept}${kept}${kept}${at}`;
};
/** A glob that fits every name but those that lack one of its three letters. */
const globAt = (at: number) => `*${letter(at)}*${letter(at / 26)}*${letter(at / 676)}*`;

const text = (at: number) => `${at}`.padEnd(2_000, "x");
const answers = Object.fromEntries(many(3_900, (at) => [`q${at}`, "x"]));
const asking = (questions: number, id: (n: number) => string, type: "string" | "number" = "string") =>
  ({ effect: "clarify", questions: many(questions, (n) => ({ id: id(n), type, ask: "?" })) }) as const;
const labelsAt = (at: number) =>
  Object.fromEntries(
    many(64, (n) => [`l${n}`, "x"]).filter((_, n) => n === at % 64 || (at * 2_654_435_761) % (n + 37) < (n + 37) / 2),
  );
const carried = { ...plainFacts.agent, labels: Object.fromEntries(many(64, (n) => [`l${n}`, "x"])) };
const nothing = "input.a == 77";

/** What is hard about a tenant of as many rules as may be, and one call of it. */
export const rules: readonly Case[] = [
  calling(
    "10,000 about each of 200 tools by globs, other ones for each",
    () => ({
      tools: many(200, (at) => tool(undefined, nameAt(at))),
      policies: inPolicies((at) => ({ match: { tools: [globAt(at)] }, when: [nothing] })),
    }),
    {},
    many(200, nameAt),
  ),
  calling(
    "10,000 of agents of 64 labels, about each of 200 tools by globs",
    () => ({
      tools: many(200, (at) => tool(undefined, nameAt(at))),
      policies: inPolicies((at) => ({ match: { tools: [globAt(at)] }, when: [nothing] }), 10).map((one, of) =>
        named(one, of, { appliesTo: { agents: { matchLabels: labelsAt(of) } } }),
      ),
    }),
    { agent: carried },
    many(200, nameAt),
  ),
  calling(
    "1,000 policies for agents of other labels each, all carried",
    () => ({
      tools: [tool()],
      policies: many(policiesMax, (of) =>
        named(policy([rule(of, { when: [nothing] })]), of, { appliesTo: { agents: { matchLabels: labelsAt(of) } } }),
      ),
    }),
    { agent: carried },
  ),
  calling("1,000 policies of 200 variables", () => ({
    tools: [tool()],
    policies: many(policiesMax, (of) => {
      const variables = Object.fromEntries(many(200, (at) => [`v${at}`, `input.a == ${at}`]));
      return named(
        policy(
          many(10, (at) => rule(at, { when: ["vars.v199", nothing] })),
          variables,
        ),
        of,
      );
    }),
  })),
  calling(
    "10,000 of 32 conditions and 32 exceptions that all have",
    about(() => ({ when: many(32, (n) => `input.a < ${n + 2}`), unless: many(32, (n) => `input.a < ${n + 2}`) })),
  ),
  calling(
    "10,000 of 32 conditions on a call's costs, of 16 units",
    about(() => ({ when: many(32, (n) => `call.estimate["u${n % 16}"] < amount("${7 * n + 200}", "u${n % 16}")`) })),
    { call: { ...plainFacts.call, estimate: many(16, (n) => ({ unit: `u${n}`, value: "123.456789" })) } },
  ),
  calling(
    "10,000 of 32 conditions on what is left of a budget",
    about(() => ({
      when: many(32, (n) => `budget.travel.used < ${n + 2}.0 && budget.travel.remaining < budget.travel.limit`),
    })),
    { budget: { travel: { unit: "EUR", limit: "1000000.123456", spent: "5.5", remaining: "99994.623456" } } },
  ),
  calling(
    "10,000 that look for a long text in one of 120,000 letters",
    about(() => ({ when: ["input.text.contains(input.part)"] })),
    { input: { text: "a".repeat(120_000), part: `${"a".repeat(500)}b${"a".repeat(500)}` } },
  ),
  calling(
    "10,000 that look for three letters in 87,000 that begin alike",
    about((at) => ({ when: [`input.text.contains("\u6101\u6101${String.fromCharCode(0x6200 + at)}")`] })),
    { input: { text: "\u6101".repeat(87_000) } },
  ),
  calling(
    "4,000 denies with messages and remedies of 2,000 characters",
    told((at) => ({ effect: "deny", message: text(at), remedy: text(at) })),
  ),
  calling(
    "4,000 escalations with summaries, and 50 approvers each",
    told((at) => ({
      effect: "escalate",
      approval: { approvers: many(50, (n) => `mia-${at}-${n}`), quorum: 1, expires: "1h", summary: text(at) },
    })),
  ),
  calling(
    "4,000 with 20 questions each",
    told((at) => asking(20, (n) => `q${at}_${n}`)),
  ),
  calling(
    "10,000 with 20 questions each, and 3,900 answers",
    about((at) => ({ ...asking(20, (n) => `q${20 * (at % 500) + n}`), when: [nothing] })),
    { answers },
  ),
  calling(
    "10,000 that take answers of another type, and 3,900 answers",
    about((at) =>
      at < 500 ? asking(20, (n) => `q${20 * at + n}`) : { ...asking(1, () => "q1", "number"), when: [nothing] },
    ),
    { answers },
  ),
  calling(
    "200,000 questions, of which the first call answers one",
    about((at) => ({ ...asking(20, (n) => `q${at}_${n}`), when: [nothing] })),
    { answers: { q7_1: "x" } },
  ),
  calling(
    "4,000 allows that redact 100 paths each",
    told((at) => ({ constraints: { redactOutput: many(100, (n) => `a${at}.b${n}`) } })),
    { supportedConstraints: ["redactOutput"] },
  ),
  calling("3,000, of which the last thousand is watched", () => ({
    tools: [tool()],
    policies: inPolicies(() => ({}), 1_000, 3_000).map((one, of) =>
      named(one, of, of === 2 ? { mode: "observe" } : {}),
    ),
  })),
  calling(
    "10,000 transforms of 50 settings each",
    about((at) => ({ effect: "transform", set: Object.fromEntries(many(50, (n) => [`b${at}.c${n}`, n])) })),
  ),
];
