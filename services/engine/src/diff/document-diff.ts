import type { Documents } from "../documents/parse.ts";
import type { PolicyDocument, RuleDocument } from "../documents/policy.ts";
import { isJsonObject, type JsonObject, type JsonValue, sameJson } from "../json.ts";

/** One field that is otherwise; absent on the side that does not have it. */
export interface FieldChange {
  /** `when`, `approval.quorum`, `spec.variables.large` */
  readonly field: string;
  readonly from?: JsonValue;
  readonly to?: JsonValue;
}

export type ChangeKind = "added" | "removed" | "changed";

export interface RuleChange {
  readonly rule: string;
  readonly change: ChangeKind;
  /** Every field of a rule that is added or removed. */
  readonly fields: readonly FieldChange[];
}

export interface DocumentChange {
  readonly kind: "Policy" | "Tool" | "Agent" | "Budget" | "Group";
  readonly name: string;
  readonly change: ChangeKind;
  /** Of the document itself, if both sides have it; its rules are told apart. */
  readonly fields: readonly FieldChange[];
  readonly rules: readonly RuleChange[];
}

const kindOf = { policies: "Policy", tools: "Tool", agents: "Agent", budgets: "Budget", groups: "Group" } as const;

/**
 * What is otherwise between two sets of documents, by kind and name. Rules are compared by id: where they stand does not
 * matter, nor does the order of lists in them, because nothing in a rule depends on it.
 */
export function diffDocuments(from: Documents, to: Documents): DocumentChange[] {
  return (Object.keys(kindOf) as (keyof typeof kindOf)[]).flatMap((list) => {
    const [before, after] = [byName(from[list]), byName(to[list])];
    return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
      const change = changeOf(kindOf[list], before.get(name), after.get(name));
      return change ? [{ ...change, name }] : [];
    });
  });
}

type AnyDocument = Documents[keyof typeof kindOf][number];

function byName(documents: readonly AnyDocument[]): Map<string, AnyDocument> {
  return new Map(documents.map((document) => [document.metadata.name, document]));
}

function changeOf(
  kind: DocumentChange["kind"],
  before: AnyDocument | undefined,
  after: AnyDocument | undefined,
): Omit<DocumentChange, "name"> | undefined {
  const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const rules = kind === "Policy" ? ruleChanges(rulesOf(before), rulesOf(after)) : [];
  const loose = kind === "Policy";
  const fields = change === "changed" ? fieldChanges(plain(before), plain(after), loose) : [];
  if (change === "changed" && fields.length === 0 && rules.length === 0) return undefined;
  return { kind, change, fields, rules };
}

/** A document as JSON, without its rules. */
function plain(document: AnyDocument | undefined): JsonObject {
  const { metadata = {}, spec = {} } = (document ?? {}) as { metadata?: JsonObject; spec?: JsonObject };
  const { rules: _, ...rest } = spec;
  return { metadata, spec: rest };
}

function rulesOf(document: AnyDocument | undefined): readonly RuleDocument[] {
  return (document as PolicyDocument | undefined)?.spec.rules ?? [];
}

function ruleChanges(before: readonly RuleDocument[], after: readonly RuleDocument[]): RuleChange[] {
  const [old, now] = [before, after].map((rules) => new Map(rules.map((rule) => [rule.id, rule])));
  const ids = [...(now?.keys() ?? []), ...[...(old?.keys() ?? [])].filter((id) => !now?.has(id))];
  return ids.flatMap((rule): RuleChange[] => {
    const [from, to] = [old?.get(rule), now?.get(rule)];
    const fields = fieldChanges(withoutId(from), withoutId(to), true);
    if (fields.length === 0) return [];
    return [{ rule, change: from === undefined ? "added" : to === undefined ? "removed" : "changed", fields }];
  });
}

function withoutId(rule: RuleDocument | undefined): JsonObject {
  const { id: _, ...rest } = (rule ?? {}) as unknown as JsonObject;
  return rest;
}

/** Fields down to what is no map. */
function leaves(value: JsonObject, prefix = ""): [string, JsonValue][] {
  return Object.entries(value).flatMap(([key, held]): [string, JsonValue][] => {
    const field = prefix === "" ? key : `${prefix}.${key}`;
    return isJsonObject(held) && Object.keys(held).length > 0 ? leaves(held, field) : [[field, held]];
  });
}

/** `loose`: the order of lists does not matter. */
function fieldChanges(from: JsonObject, to: JsonObject, loose: boolean): FieldChange[] {
  const [before, after] = [new Map(leaves(from)), new Map(leaves(to))];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((field): FieldChange[] => {
    const [old, now] = [before.get(field), after.get(field)];
    if (old !== undefined && now !== undefined && sameJson(sorted(old, loose), sorted(now, loose))) return [];
    return [{ field, ...(old !== undefined && { from: old }), ...(now !== undefined && { to: now }) }];
  });
}

function sorted(value: JsonValue, loose: boolean): JsonValue {
  if (!loose || !Array.isArray(value)) return value;
  const items = value as readonly JsonValue[];
  return [...items].sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}
