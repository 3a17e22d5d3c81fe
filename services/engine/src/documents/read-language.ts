import { isJsonObject, type JsonValue } from "../json.ts";
import { modes } from "./mode.ts";
import { below, type Report } from "./origin.ts";
import type { PolicyDocument } from "./policy.ts";
import { policyMetadata } from "./read-names.ts";
import { appliesTo, questionShape, readMatch, readPolicy } from "./read-policy.ts";
import { anyObject, described, listOf, oneOf, optional, type Reader, record, required, text } from "./shape.ts";

/** Characters of a bundle in base64; of Cedar policies, and of their schema. */
const bundleCharsMax = 1_000_000;
const sourceCharsMax = 65_536;

const entrypoint = text({
  test: (path) => /^[A-Za-z_][A-Za-z0-9_]{0,63}(\/[A-Za-z_][A-Za-z0-9_]{0,63}){1,15}$/.test(path),
  expected: "an entrypoint of the bundle, such as payments/decisions",
});

const whole = {
  appliesTo: optional(appliesTo),
  mode: optional(oneOf(modes)),
  match: required(readMatch),
  // The document as it is stored has its rules, and in another language it has none.
  rules: optional(listOf((() => undefined) as Reader<never>, 0, 0)),
};

const document = {
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["Policy"])),
  metadata: required(policyMetadata),
};

const bundle = text(undefined, bundleCharsMax);
const regoSpec = {
  language: required(oneOf(["rego"])),
  ...whole,
  entrypoint: required(entrypoint),
  data: optional(anyObject),
  questions: optional(listOf(questionShape, 1, 20)),
};
const regoShape = record({ ...document, spec: required(record({ ...regoSpec, bundle: required(bundle) })) });

/** As people write it: the file stands beside the document until the document is sent. */
const regoWritten = record({
  ...document,
  spec: required(record({ ...regoSpec, bundle: optional(bundle), bundleFile: optional(text()) })),
});

const source = text(undefined, sourceCharsMax);
const cedarSpec = { language: required(oneOf(["cedar"])), ...whole };
const cedarShape = record({
  ...document,
  spec: required(record({ ...cedarSpec, source: required(source), schema: required(source) })),
});

const cedarWritten = record({
  ...document,
  spec: required(
    record({
      ...cedarSpec,
      ...{ source: optional(source), sourceFile: optional(text()) },
      ...{ schema: optional(source), schemaFile: optional(text()) },
    }),
  ),
});

/** A policy in any language: native where it says none. */
export const readAnyPolicy: Reader<PolicyDocument> = described(
  { anyOf: [readPolicy.schema ?? {}, regoWritten.schema ?? {}, cedarWritten.schema ?? {}] },
  (value, pointer, report): PolicyDocument | undefined => {
    const language = languageOf(value);
    if (language !== "rego" && language !== "cedar") return readPolicy(value, pointer, report);
    refuseFiles(value, report);
    const policy = language === "rego" ? regoShape(value, pointer, report) : cedarShape(value, pointer, report);
    return policy && { ...policy, spec: { ...policy.spec, mode: policy.spec.mode ?? "enforce", rules: [] } };
  },
);

function languageOf(value: JsonValue): JsonValue | undefined {
  return isJsonObject(value) && isJsonObject(value.spec) ? value.spec.language : undefined;
}

/** Files stand beside a document on somebody's disk: whoever reads the document there puts them in. */
function refuseFiles(value: JsonValue, report: Report): void {
  const spec = isJsonObject(value) && isJsonObject(value.spec) ? value.spec : {};
  for (const key of ["bundle", "source", "schema"]) {
    if (!Object.hasOwn(spec, `${key}File`)) continue;
    report(below("/spec", `${key}File`), `\`${key}File\` is read by \`remit apply\` and \`remit policy\``, {
      code: "combination_invalid",
      atKey: true,
      expected: `\`${key}\` with what the file holds`,
    });
  }
}
