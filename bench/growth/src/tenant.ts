import type { CompileSource, Facts } from "../../../services/engine/src/index.ts";

type Policy = CompileSource["policies"][number];
type Rule = Policy["document"]["spec"]["rules"][number];
type Tool = CompileSource["tools"][number];

/** How the rules that cannot match a call are kept from it. */
export const growthCases = ["other tools", "agent labels", "overlapping globs", "risk"] as const;
export type GrowthCase = (typeof growthCases)[number];

const rulesOfPolicyMax = 5_000;
const otherToolsMax = 10_000;
const measured = "payments.transfer";

function tool(name: string, risk: Tool["spec"]["risk"]): Tool {
  return { apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec: { risk } };
}

function policy(name: string, rules: readonly Rule[], labels: Readonly<Record<string, string>> = {}): Policy {
  const appliesTo = Object.keys(labels).length > 0 ? { appliesTo: { agents: { matchLabels: labels } } } : {};
  const spec = { ...appliesTo, mode: "enforce" as const, rules };
  return { document: { apiVersion: "remit/v1", kind: "Policy", metadata: { name }, spec }, version: 1 };
}

/** A rule with a condition of its own. */
function rule(number: number, match: Rule["match"]): Rule {
  return {
    id: `r${number}`,
    match,
    effect: "deny",
    when: [`input.amount > ${number} && input.country == "X${number}"`],
  };
}

/** The five rules that every measured call meets, whatever else there is. */
const met: readonly Rule[] = [
  { id: "small", match: { tools: [measured] }, effect: "allow", when: ["input.amount <= 500"] },
  { id: "abroad", match: { tools: [measured] }, effect: "deny", when: ['input.country != "DE"'] },
  { id: "tainted", match: { tools: ["payments.*"] }, effect: "deny", when: ['"untrusted" in session.labels'] },
  { id: "huge", match: { tools: [measured] }, effect: "deny", when: ["input.amount > 10000"] },
  { id: "late", match: { risk: ["write"] }, effect: "deny", when: ["session.calls > 1000"] },
];

/** The match of a rule that cannot match the measured call. */
const elsewhere: Readonly<Record<Exclude<GrowthCase, "agent labels">, (number: number) => Rule["match"]>> = {
  "other tools": (number) => ({ tools: [`tool-${number % otherToolsMax}.call`] }),
  "overlapping globs": (number) => {
    const globs = [`payments.*-${number}`, `pay*${number}.transfer`, `*ments.transfer.${number}*`];
    return { tools: [globs[number % globs.length] ?? "", `payments.t*${number}`] };
  },
  risk: (number) => ({ tools: number % 2 === 0 ? ["*"] : ["payments.*"], risk: ["destructive"] }),
};

/** Policies and tools in which a call meets five rules and is kept from `count` others. */
export function tenantOf(kind: GrowthCase, count: number): CompileSource {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const house = policy("a-house", met, kind === "agent labels" ? { env: "prod", team: "team-0" } : {});
  if (kind === "agent labels") {
    const teams = numbers.map((number) =>
      policy(`team-${number + 1}`, [rule(number, { tools: [measured] })], { env: "prod", team: `team-${number + 1}` }),
    );
    return { policies: [house, ...teams], tools: [tool(measured, "write")] };
  }
  const others: Policy[] = [];
  for (let from = 0; from < count; from += rulesOfPolicyMax) {
    const some = numbers.slice(from, from + rulesOfPolicyMax);
    others.push(
      policy(
        `p-${from}`,
        some.map((number) => rule(number, elsewhere[kind](number))),
      ),
    );
  }
  const known =
    kind === "other tools" ? numbers.slice(0, otherToolsMax).map((at) => tool(`tool-${at}.call`, "write")) : [];
  return { policies: [house, ...others], tools: [tool(measured, "write"), ...known] };
}

/** The measured call: allowed by the first of the five rules. */
export const facts: Facts = {
  input: { amount: 40, country: "DE", to: "acme", memo: "rent" },
  context: {},
  answers: {},
  call: { tool: measured, estimate: [], attempt: 1 },
  agent: { id: "clerk", labels: { env: "prod", team: "team-0", region: "eu" }, owner: "ada" },
  principal: { id: "mia", verified: true, labels: {} },
  session: { id: "s1", labels: {}, depth: 0, purpose: "", ageSeconds: 90, calls: 3 },
  caller: { id: "sdk", name: "sdk" },
  now: "2026-03-02T10:00:00Z",
  scopes: [{ tools: ["*"] }],
  mode: "enforce",
  supportedConstraints: [],
};
