import { isJsonObject, type JsonObject } from "../json.ts";
import { readLimits } from "./limits.ts";
import { modes } from "./mode.ts";
import { below } from "./origin.ts";
import { effects, type PolicyDocument, policyLanguages, type RuleDocument } from "./policy.ts";
import { durationText, globText, identifier, labels, nameText, policyMetadata, prose } from "./read-names.ts";
import {
  anyJson,
  described,
  flag,
  integer,
  listOf,
  mapOf,
  oneOf,
  oneOrList,
  optional,
  type Reader,
  record,
  refined,
  required,
  text,
} from "./shape.ts";
import { risks } from "./tool.ts";

export const conditionCharsMax = 4096;
export const variablesMax = 200;
const rulesMax = 10_000;
const expression = text(undefined, conditionCharsMax);
const conditions = oneOrList(expression, 32);

const matchShape = record({
  tools: optional(listOf(globText, 1, 200)),
  servers: optional(listOf(globText, 1, 200)),
  risk: optional(listOf(oneOf(risks), 1, risks.length)),
});

export const readMatch: Reader<RuleDocument["match"]> = refined(
  matchShape,
  (match, _value, pointer, report) => {
    if (Object.keys(match).length > 0) return match;
    const expected = 'tools, servers or risk; tools: ["*"] for every tool';
    report(pointer, "a match that names nothing", { code: "combination_invalid", expected });
    return undefined;
  },
  { minProperties: 1 },
);

const approver = text(
  {
    pattern: "^(?!group:)[\\s\\S]+$|^group:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$",
    expected: "group:<name>, the id of a principal, or principal",
  },
  256,
);

const approvalShape = record({
  approvers: required(listOf(approver, 1, 50)),
  quorum: optional(integer(1, 20)),
  expires: optional(durationText),
  summary: optional(prose),
});

type Approval = NonNullable<RuleDocument["approval"]>;

const readApproval: Reader<Approval> = refined(
  approvalShape,
  (approval, _value, pointer, report): Approval | undefined => {
    const { quorum = 1, approvers } = approval;
    if (new Set(approvers).size < quorum && !approvers.some((approver) => approver.startsWith("group:"))) {
      report(below(pointer, "quorum"), `a quorum of ${quorum} that ${approvers.length} approvers can never reach`, {
        code: "combination_invalid",
      });
      return undefined;
    }
    return { ...approval, quorum, expires: approval.expires ?? "1h" };
  },
);

export const questionShape = record({
  id: required(text(identifier)),
  type: required(oneOf(["string", "number", "boolean"])),
  ask: required(prose),
});

export const constraintsShape = record({
  timeout: optional(durationText),
  maxOutputBytes: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  redactOutput: optional(listOf(text(undefined, 256), 1, 100)),
  requireIdempotencyKey: optional(flag),
});

const ruleShape = record({
  id: required(nameText),
  description: optional(prose),
  match: required(readMatch),
  when: optional(conditions),
  unless: optional(conditions),
  effect: required(oneOf(effects)),
  constraints: optional(constraintsShape),
  approval: optional(readApproval),
  set: optional(
    mapOf(
      {
        pattern: "^[^.\\s]+(\\.[^.\\s]+){0,15}$",
        expected: "a path below the input, such as amount or to.country",
      },
      anyJson,
      50,
    ),
  ),
  questions: optional(listOf(questionShape, 1, 20)),
  message: optional(prose),
  remedy: optional(prose),
});

/** What belongs to one effect alone: required there, an error elsewhere. */
const parameters = { set: "transform", approval: "escalate", questions: "clarify" } as const;
const constrainable = ["allow", "transform", "escalate"];

/** The same for editors: which effect goes with which keys. */
const effectRules: JsonObject[] = [
  ...Object.entries(parameters).map(([key, owner]) => ({
    if: { properties: { effect: { const: owner } }, required: ["effect"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: [key] },
    else: { properties: { [key]: false } },
  })),
  {
    if: { properties: { effect: { enum: constrainable } } },
    else: { properties: { constraints: false } },
  },
];

export const readRule: Reader<RuleDocument> = described(
  { ...ruleShape.schema, allOf: effectRules },
  (value, pointer, report) => {
    const rule = ruleShape(value, pointer, report);
    if (!isJsonObject(value)) return undefined;
    const effect = value.effect;
    if (!effects.includes(effect as RuleDocument["effect"])) return undefined;
    let whole = rule !== undefined;
    const refuse = (key: string, message: string) => {
      report(key === "" ? pointer : below(pointer, key), message, { code: "combination_invalid", atKey: true });
      whole = false;
    };
    for (const [key, owner] of Object.entries(parameters)) {
      if (Object.hasOwn(value, key) && effect !== owner) refuse(key, `\`${key}\` belongs to the effect ${owner} alone`);
      if (!Object.hasOwn(value, key) && effect === owner) refuse("", `the effect ${owner} needs \`${key}\``);
    }
    if (Object.hasOwn(value, "constraints") && !constrainable.includes(String(effect))) {
      refuse("constraints", `\`constraints\` mean nothing with the effect ${effect}`);
    }
    if (isJsonObject(value.set) && Object.keys(value.set).length === 0) refuse("set", "`set` names nothing to set");
    for (const [path, entry] of isJsonObject(value.set) ? Object.entries(value.set) : []) {
      if (isJsonObject(entry) && Object.hasOwn(entry, "expr") && !isExpression(entry)) {
        report(below(below(pointer, "set"), path), "an expression beside other keys", {
          code: "combination_invalid",
          expected: "{ expr: CONDITION } alone, or a literal",
        });
        whole = false;
      }
    }
    const ids = (rule?.questions ?? []).map(({ id }) => id);
    const twice = ids.findIndex((id, index) => ids.indexOf(id) < index);
    if (twice >= 0) refuse("questions", `the question \`${ids[twice]}\` stands twice`);
    return whole ? rule : undefined;
  },
);

/** Whether a value of `set` is an expression; everything else is a literal. */
export function isExpression(value: unknown): value is { readonly expr: string } {
  return isJsonObject(value) && typeof value.expr === "string" && Object.keys(value).length === 1;
}

const ruleList = listOf(readRule, 1, rulesMax);

const readRules: Reader<readonly RuleDocument[]> = described(ruleList.schema ?? {}, (value, pointer, report) => {
  const rules = ruleList(value, pointer, report);
  let whole = rules !== undefined;
  const seen = new Set<unknown>();
  for (const [index, rule] of (Array.isArray(value) ? value : []).entries()) {
    if (!isJsonObject(rule) || typeof rule.id !== "string") continue;
    if (seen.has(rule.id)) {
      report(below(below(pointer, index), "id"), `the rule \`${rule.id}\` stands twice in this policy`, {
        code: "name_taken",
      });
      whole = false;
    }
    seen.add(rule.id);
  }
  return whole ? rules : undefined;
});

export const appliesTo = record({ agents: required(record({ matchLabels: required(labels) })) });

const policyShape = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["Policy"])),
  metadata: required(policyMetadata),
  spec: required(
    record({
      language: optional(oneOf(policyLanguages)),
      appliesTo: optional(appliesTo),
      mode: optional(oneOf(modes)),
      variables: optional(mapOf(identifier, expression, variablesMax)),
      limits: optional(readLimits),
      rules: required(readRules),
    }),
  ),
});

export const readPolicy: Reader<PolicyDocument> = refined(policyShape, (policy) => ({
  ...policy,
  spec: { ...policy.spec, mode: policy.spec.mode ?? ("enforce" as const) },
}));
