import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { type Compiled, compile, formatProblem, parseDocuments, type SourceFile } from "../../src/index.ts";

const folder = new URL("../../../cli/examples/languages/", import.meta.url);

export const languages = ["native", "rego", "cedar"] as const;
export type Language = (typeof languages)[number];

export function exampleText(path: string): string {
  return readFileSync(new URL(path, folder), "utf8");
}

export function exampleBundle(): Buffer {
  return readFileSync(new URL("rego/payments.tar.gz", folder));
}

/** A document of the example with its files put in, as the command line does before it sends one. */
export function exampleDocument(language: Language, spec: Record<string, unknown> = {}): SourceFile {
  const file = `${language}/payments.yaml`;
  const [document] = parseAllDocuments(exampleText(file)).map((one) => one.toJS());
  const { bundleFile, sourceFile, schemaFile, ...rest } = document.spec;
  const inlined = {
    ...rest,
    ...(bundleFile && { bundle: exampleBundle().toString("base64") }),
    ...(sourceFile && { source: exampleText("cedar/payments.cedar") }),
    ...(schemaFile && { schema: exampleText("cedar/payments.cedarschema") }),
  };
  return { file, text: JSON.stringify({ ...document, spec: { ...inlined, ...spec } }) };
}

/** The problems of documents beside the example's tools, and what they compile to where there are none. */
export function compileBeside(...files: readonly SourceFile[]): { compiled?: Compiled; problems: string[] } {
  const tools = { file: "tools.yaml", text: exampleText("tools.yaml") };
  const { documents, problems } = parseDocuments([tools, ...files]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled, problems: more } = compile({ policies, tools: documents.tools });
  return { ...(compiled ? { compiled } : {}), problems: [...problems, ...more].map(formatProblem) };
}

/** What the example decides in one language. */
export function compiledExample(language: Language, spec: Record<string, unknown> = {}): Compiled {
  const { compiled, problems } = compileBeside(exampleDocument(language, spec));
  if (!compiled || problems.length > 0) throw new Error(problems.join("\n"));
  return compiled;
}
