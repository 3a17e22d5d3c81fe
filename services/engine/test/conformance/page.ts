import { conformanceCases } from "./cases.ts";
import { type Reason, reasons } from "./reasons.ts";
import { exceptionOf } from "./run-case.ts";

/** How the official data came out: every case that does not pass, with its reason, and the counts of each section. */
export function conformance() {
  const sections = new Map<string, { cases: number; passed: number }>();
  const exceptions: { readonly name: string; readonly reason: string }[] = [];
  for (const one of conformanceCases()) {
    const section = sections.get(one.section) ?? { cases: 0, passed: 0 };
    sections.set(one.section, section);
    section.cases++;
    const reason = exceptionOf(one);
    if (reason === undefined) section.passed++;
    else exceptions.push({ name: one.name, reason });
  }
  return { sections, exceptions };
}

type Conformance = ReturnType<typeof conformance>;

/** The list of the cases that do not pass, a line each. */
export function exceptionList({ exceptions }: Conformance): string {
  return `${exceptions.map(({ name, reason }) => `${reason}\t${name}`).join("\n")}\n`;
}

// Sections of which nothing is left when what JSON does not have is taken away.
const foreign: readonly Reason[] = ["messages", "uint", "bytes", "optional", "extension"];

export function conformancePage({ sections, exceptions }: Conformance): string {
  const cases = [...sections.values()].reduce((total, section) => total + section.cases, 0);
  const passed = cases - exceptions.length;
  const count = (reason: string) => exceptions.filter((one) => one.reason === reason).length;
  const within = cases - foreign.reduce((total, reason) => total + count(reason), 0);
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  const rows = [...sections].map(([name, section]) => {
    const left = exceptions.filter((one) => one.name.startsWith(`${name}/`));
    const why = [...new Set(left.map(({ reason }) => reason))].map(
      (reason) => `${reason} ${left.filter((one) => one.reason === reason).length}`,
    );
    return `| ${name} | ${section.cases} | ${section.passed} | ${why.join(", ")} |`;
  });
  return `# CEL conformance

Conditions are CEL with a few declared differences ([policy.md](policy.md#conditions)). The official conformance data
(\`@bufbuild/cel-spec\`, of CEL's specification v0.25.1) is run through Remit's own evaluator in every test run. A case passes if
its value, type and all, or its error is the expected one; a condition that is refused when the policy is compiled is an
error as expected, unless it is refused for want of a feature.

**${passed} of ${cases} cases pass.** Of the ${within} that need no messages, unsigned integers, bytes, optional values or extension
libraries, ${percent(passed, within)} pass. Every case that does not pass is listed with its reason in
\`services/engine/test/conformance/exceptions.txt\`, and the test holds that list exact: a case that newly passes or newly fails
fails it.

| section | cases | pass | others, by reason |
|---|--:|--:|---|
${rows.join("\n")}

| reason | cases | |
|---|--:|---|
${Object.entries(reasons)
  .map(([reason, text]) => `| ${reason} | ${count(reason)} | ${text} |`)
  .join("\n")}
`;
}
