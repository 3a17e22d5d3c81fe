import { Document, isMap, type Pair, type Scalar, visit } from "yaml";
import { settingRows } from "./settings.ts";
import type { Schema } from "./shape.ts";
import { values } from "./values.ts";

interface Tree {
  [name: string]: unknown;
}

function put(tree: Tree, path: readonly string[], leaf: unknown, down: (tree: Tree, name: string) => Tree): void {
  const last = path.at(-1) ?? "";
  path.slice(0, -1).reduce(down, tree)[last] = leaf;
}

/** values.schema.json: nothing unknown is let through, so that a slip of the pen is an error and not a default. */
function schemaPage(): string {
  const root: Tree = { type: "object", additionalProperties: false, properties: {} };
  const below = (schema: Tree, name: string): Tree => {
    const properties = schema.properties as Tree;
    properties[name] ??= { type: "object", additionalProperties: false, properties: {} };
    return properties[name] as Tree;
  };
  for (const { path, doc, schema } of values) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    (names.reduce(below, root).properties as Tree)[last] = { description: doc, ...schema } satisfies Schema;
  }
  // Helm hands these to every chart.
  (root.properties as Tree).global = { type: "object" };
  const whole = { $schema: "http://json-schema.org/draft-07/schema#", title: "Values of the chart remit", ...root };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

const WIDTH = 110;

/** A sentence as lines of a comment. */
function folded(doc: string): string {
  const lines = [""];
  for (const word of doc.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => ` ${line}`).join("\n");
}

/** values.yaml: every value with its default, and above it what it is. */
function valuesPage(): string {
  const tree: Tree = {};
  const docs = new Map<string, string>();
  for (const { path, doc, default: start } of values) {
    put(tree, path.split("."), start, (at, name) => {
      at[name] ??= {};
      return at[name] as Tree;
    });
    docs.set(path, doc);
  }
  const document = new Document(tree);
  visit(document, {
    Pair(_, pair, ancestors) {
      const above = ancestors.filter((one) => "key" in one) as unknown as Pair<Scalar>[];
      const path = [...above, pair as Pair<Scalar>].map(({ key }) => String(key.value)).join(".");
      const doc = docs.get(path);
      const key = pair.key as Scalar;
      if (doc !== undefined) key.commentBefore = folded(doc);
      if (above.length === 0) key.spaceBefore = true;
      if (isMap(pair.value) && pair.value.items.length === 0) pair.value.flow = true;
    },
  });
  const head = "# Written from helm/values.ts by `npm run gen`: change it there.\n";
  return head + document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function readmePage(): string {
  const rows = values.map(({ path, doc, default: start }) => `| \`${path}\` | \`${JSON.stringify(start)}\` | ${doc} |`);
  return [
    "# The chart of Remit",
    "",
    "Runs Remit, the policy decision point for AI agents, on Kubernetes: several replicas on one Postgres of yours.",
    "[docs/kubernetes.md](../../docs/kubernetes.md) installs it in five commands and says what each object is for.",
    "",
    "This page, `values.yaml` and `values.schema.json` are written from `helm/values.ts` and the service's own settings by",
    "`npm run gen`; a test keeps them equal. Unknown values are errors. Secrets are never values: the chart takes the names",
    "of Secrets that exist, and refuses to be rendered without them.",
    "",
    "## Values",
    "",
    "| value | default | what it is |",
    "|---|---|---|",
    ...rows,
    "",
    "## Settings of the service",
    "",
    "| setting | in the chart | default |",
    "|---|---|---|",
    ...settingRows(),
    "",
  ].join("\n");
}

/** The chart's generated files by their path in it. */
export function pages(): Record<string, string> {
  return { "values.yaml": valuesPage(), "values.schema.json": schemaPage(), "README.md": readmePage() };
}
