import type { Facts, JsonObject, Scope } from "../../src/index.ts";
import type { World } from "../naive.ts";
import { schemaDigest } from "../sample.ts";
import { damaged, fields, properInput } from "./fields.ts";
import type { Random } from "./random.ts";

const constraintNames = ["maxOutputBytes", "redactOutput", "requireIdempotencyKey", "timeout"];
const everything: readonly Scope[] = [{ tools: ["*"] }];

/** The facts of one call of one of the world's tools. */
export function randomFacts(random: Random, world: World): Facts {
  const tool = random.pick(world.tools);
  const closed = tool.spec.inputSchema?.additionalProperties === false;
  const properties = Object.keys((tool.spec.inputSchema?.properties ?? fields) as JsonObject);
  const names = Object.keys(fields).filter((name) => !closed || properties.includes(name));
  const proper = properInput(random, names);
  // A schema refuses most of what is damaged.
  const input = random.chance(tool.spec.inputSchema ? 0.12 : 0.4) ? damaged(random, proper) : proper;
  return {
    input: random.chance(0.05) ? damaged(random, input) : input,
    context: random.chance(0.05) ? { user: 5 } : random.pick([{}, { user: "mia" }, { user: "ada" }]),
    answers: random.pick<JsonObject>([
      {},
      {},
      { memo: "rent" },
      { memo: "rent", ok: true },
      { memo: 5 },
      { memo: " " },
      { other: "x" },
    ]),
    call: {
      tool: random.chance(0.01) ? "unknown.tool" : tool.metadata.name,
      estimate: random.pick([
        [],
        [],
        [{ unit: "EUR", value: "5" }],
        [{ unit: "EUR", value: "5.01" }],
        [{ unit: "USD", value: "900" }],
        [
          { unit: "tokens", value: "1200" },
          { unit: "EUR", value: "0.25" },
        ],
      ]),
      attempt: 1 + random.below(3),
      ...randomDigest(random, tool.spec.inputSchema),
    },
    agent: {
      id: random.pick(["clerk", "ada"]),
      owner: random.pick(["ada", ""]),
      labels: randomLabels(random),
      ...randomScore(random),
    },
    principal: { id: random.pick(["mia", "ada"]), verified: random.chance(0.7), labels: {} },
    session: {
      id: "s1",
      labels: random.pick<Readonly<Record<string, string>>>([{}, { untrusted: "web" }, { zone: "DE" }]),
      depth: random.below(3),
      purpose: random.pick(["", "rent"]),
      ageSeconds: random.pick([0, 90, 300, 5400.25]),
      ...(random.chance(0.9) ? { calls: random.below(6) } : {}),
    },
    caller: { id: "sdk", name: random.pick(["sdk", "mia"]) },
    ...(random.chance(0.85) ? { budget: randomBudgets(random) } : {}),
    now: random.pick(times),
    scopes: randomScopes(random),
    mode: random.chance(0.06) ? "observe" : "enforce",
    supportedConstraints: random.chance(0.85) ? constraintNames : constraintNames.filter(() => random.chance(0.5)),
    granted: randomGrants(random, world),
  };
}

// Among them both sides of where clocks are changed in Berlin and in New York, and a leap day.
const times = [
  ...["2026-03-02T10:00:00Z", "2026-07-04T23:30:00Z", "2025-12-31T23:59:59Z", "2026-07-05T06:15:00.250Z"],
  ...["2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
  ...["2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2028-02-29T22:45:00Z", "2026-11-20T16:29:59.999Z"],
];

function randomScore(random: Random): { score?: number } {
  return random.chance(0.8) ? { score: random.pick([300, 450, 620, 850]) } : {};
}

function randomBudgets(random: Random): NonNullable<Facts["budget"]> {
  const travel = random.pick<NonNullable<Facts["budget"]>[string]>([
    { unit: "EUR", limit: "500", spent: "400", remaining: "100" },
    { unit: "EUR", limit: "500.00", spent: "40.5", remaining: "50" },
    { unit: "EUR", limit: "3", spent: "1", remaining: "2" },
    { unit: "EUR", limit: "0", spent: "0", remaining: "0" },
    { unit: "EUR", limit: "100", spent: "0", remaining: "100" },
    { unit: "EUR", limit: "100", spent: "120", remaining: "0" },
    { unit: "EUR", limit: "100", spent: "0", remaining: "120" },
    { unit: "EUR", limit: "2305843009213.693952", spent: "0", remaining: "2305843009213.693951" },
    { unit: "USD", limit: "7", spent: "0.7", remaining: "0.7" },
    { unit: "EUR", remaining: "5" },
    { unit: "EUR", limit: "many", spent: "-1", remaining: "5" },
  ]);
  return random.chance(0.3)
    ? { travel, "team-travel": { unit: "tokens", limit: "1000", remaining: "10" } }
    : { travel };
}

function randomDigest(random: Random, schema: JsonObject | undefined): { schemaDigest?: string } {
  if (random.chance(0.94)) return {};
  const known = schema ? schemaDigest(schema) : "";
  return { schemaDigest: random.pick([known, known, schemaDigest({ type: "array" }), "sha256:another"]) };
}

function randomLabels(random: Random): Readonly<Record<string, string>> {
  return random.pick<Readonly<Record<string, string>>>([
    { team: "finance", level: "2" },
    { team: "finance" },
    { team: "sales", zone: "DE" },
    {},
  ]);
}

function randomScopes(random: Random): readonly Scope[] {
  const one = (): Scope => ({
    tools: random.pick([["*"], ["pay*", "*.send"], ["*a*"]]),
    ...(random.chance(0.5) ? { bounds: [randomBound(random)] } : {}),
    ...(random.chance(0.15) ? { labels: { tier: "1" } } : {}),
    ...(random.chance(0.15) ? { expiresAt: random.pick(["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]) } : {}),
  });
  return random.way([
    [12, () => everything],
    [2, () => [one()]],
    [1, () => [...everything, one()]],
    [0.1, () => []],
  ]);
}

function randomBound(random: Random): NonNullable<Scope["bounds"]>[number] {
  return random.pick([
    { tool: "*", path: "input.amount", max: 600 },
    { tool: "pay*", path: "input.amount", max: 500 },
    { tool: "*", path: "input.count", min: 1 },
    { tool: "*", path: "input.to.country", in: ["DE", "FR"] },
    { tool: "*", path: "input.to.country", in: ["DE"] },
    { tool: "*", path: "input.path", prefix: "/workspace" },
    { tool: "*", path: "input.path", prefix: "/workspace/" },
    { tool: "*", path: "input.amount", max: "499.5" },
    { tool: "*", path: "input.count", min: "2" },
    { tool: "*a*", path: "input.text", equals: "principal.id" },
    { tool: "*", path: "input.memo", equals: "rent" },
  ]);
}

function randomGrants(random: Random, { policies }: World): NonNullable<Facts["granted"]> {
  if (random.chance(0.5)) return [];
  return policies.flatMap(({ document, version }) =>
    document.spec.rules
      .filter(({ effect }) => effect === "escalate" && random.chance(0.6))
      .map(({ id }) => ({
        policy: document.metadata.name,
        version: random.chance(0.85) ? version : version + 1,
        rule: id,
      })),
  );
}
