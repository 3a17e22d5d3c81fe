import { checkExpressions } from "../compile/check-expressions.ts";
import { finish, finishInSlices, type Steps } from "../compile/steps.ts";
import { isJsonObject, type JsonValue } from "../json.ts";
import type { AgentDocument } from "./agent.ts";
import type { BudgetDocument } from "./budget.ts";
import type { GroupDocument } from "./group.ts";
import { nearestName } from "./nearest.ts";
import { originReporter, type Report, rememberOrigin } from "./origin.ts";
import type { PolicyDocument } from "./policy.ts";
import type { Problem } from "./problem.ts";
import { readAgent } from "./read-agent.ts";
import { readBudget } from "./read-budget.ts";
import { readGroup } from "./read-group.ts";
import { readAnyPolicy } from "./read-language.ts";
import { checkSchemas, readTool } from "./read-tool.ts";
import type { ToolDocument } from "./tool.ts";
import { readYaml, type SourceDocument, type SourceFile } from "./yaml-tree.ts";

/** What files declare: plain JSON values, which can be stored and compiled again later. */
export interface Documents {
  readonly policies: PolicyDocument[];
  readonly tools: ToolDocument[];
  readonly agents: AgentDocument[];
  readonly budgets: BudgetDocument[];
  readonly groups: GroupDocument[];
}

/** No documents yet. */
export function noDocuments(): Documents {
  return { policies: [], tools: [], agents: [], budgets: [], groups: [] };
}

const kinds = ["Policy", "Tool", "Agent", "Budget", "Group"];
/** Enough to mend; hostile files could have one a byte. */
const problemsMax = 1000;

/**
 * Reads documents from YAML or JSON files, several a file. Every problem of every file is reported; a document that has
 * an error is left out.
 */
export function parseDocuments(files: readonly SourceFile[]): ParsedDocuments {
  return finish(parseSteps(files));
}

/** The same in slices of some milliseconds; between them it awaits `pause`. */
export function parseInSlices(files: readonly SourceFile[], pause: () => Promise<void>): Promise<ParsedDocuments> {
  return finishInSlices(parseSteps(files), pause);
}

interface ParsedDocuments {
  readonly documents: Documents;
  readonly problems: Problem[];
}

/** Of making a tree of a text, a thousand characters of it. */
const yamlCost = 30;

function* parseSteps(files: readonly SourceFile[]): Steps<ParsedDocuments> {
  const problems: Problem[] = [];
  const documents = noDocuments();
  const names = new Set<string>();
  const sources: SourceDocument[] = [];
  for (const file of files) {
    sources.push(...readYaml(file, problems));
    yield (yamlCost * file.text.length) / 1000;
  }
  for (const source of sources) {
    if (problems.length > problemsMax) break;
    let whole = true;
    const write = originReporter(source.origin, problems);
    const report: Report = (pointer, message, details) => {
      if (details?.severity !== "warning") whole = false;
      write(pointer, message, details);
    };
    const accept = readDocument(source, documents, report);
    yield* checkParts(source.value, report);
    refuseSecondName(source.value, names, report);
    if (whole) accept?.();
  }
  return { documents, problems };
}

function readDocument(
  { value, origin }: SourceDocument,
  documents: Documents,
  report: Report,
): (() => void) | undefined {
  const keep =
    <T extends object>(list: T[], document: T | undefined) =>
    () => {
      if (!document) return;
      rememberOrigin(document, origin);
      list.push(document);
    };
  const kind = isJsonObject(value) ? value.kind : undefined;
  switch (kind) {
    case "Policy":
      return keep(documents.policies, readAnyPolicy(value, "", report));
    case "Tool":
      return keep(documents.tools, readTool(value, "", report));
    case "Agent":
      return keep(documents.agents, readAgent(value, "", report));
    case "Budget":
      return keep(documents.budgets, readBudget(value, "", report));
    case "Group":
      return keep(documents.groups, readGroup(value, "", report));
    default:
      reportKind(kind, report);
      return undefined;
  }
}

/** What is looked at part by part, whatever else is wrong. */
function* checkParts(value: JsonValue, report: Report): Steps<void> {
  if (!isJsonObject(value)) return;
  if (value.kind === "Policy") yield* checkExpressions(value, report);
  if (value.kind === "Tool") yield* checkSchemas(value, report);
}

function reportKind(kind: JsonValue | undefined, report: Report): void {
  const details = { code: "kind_unknown", expected: kinds.join(", ") } as const;
  if (kind === undefined) report("", "`kind` is missing", { ...details, code: "key_missing" });
  else if (typeof kind !== "string") report("/kind", "`kind` is not text", details);
  else if (kind === "PolicyTest") {
    report("/kind", "policy tests stand in files of their own, named *_test.yaml", details);
  } else {
    const shown = kind.slice(0, 100);
    report("/kind", `unknown kind \`${shown}\``, { ...details, nearest: nearestName(kind, kinds) });
  }
}

function refuseSecondName(value: JsonValue, names: Set<string>, report: Report): void {
  if (!isJsonObject(value) || !isJsonObject(value.metadata) || typeof value.metadata.name !== "string") return;
  const name = `${value.kind} ${value.metadata.name}`;
  if (names.has(name)) {
    const message = `the ${String(value.kind).toLowerCase()} \`${value.metadata.name}\` is declared twice`;
    report("/metadata/name", message, { code: "name_taken" });
  }
  names.add(name);
}
