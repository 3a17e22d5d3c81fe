import type { PolicyTestRun } from "@remit/engine";

// XML 1.0, section 2.2: these are no characters of a document, escaped or not.
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

function clean(text: string): string {
  return text.toWellFormed().replace(FORBIDDEN, "\ufffd");
}

/** A value of an attribute: line ends too are kept as they are. */
function attribute(text: string): string {
  return clean(text).replace(/[&<>"'\t\n\r]/g, (char) => escapes[char] ?? char);
}

function content(text: string): string {
  return clean(text).replace(/[&<>\r]/g, (char) => escapes[char] ?? char);
}

type Case = PolicyTestRun["cases"][number] & { readonly failure?: PolicyTestRun["failed"][number] };

function caseLines({ file, line, test, name, failure }: Case): string[] {
  const place = line > 0 ? ` line="${line}"` : "";
  const at = `<testcase classname="${attribute(test || file)}" name="${attribute(name)}" file="${attribute(file)}"${place} time="0"`;
  if (!failure) return [`    ${at}/>`];
  const [first = ""] = failure.message.split("\n");
  const kind = failure.differences.length > 0 ? "difference" : "unreadable";
  return [
    `    ${at}>`,
    `      <failure type="${kind}" message="${attribute(first)}">${content(failureText(failure))}</failure>`,
    "    </testcase>",
  ];
}

function failureText({ file, line, column, message, explanation }: PolicyTestRun["failed"][number]): string {
  return [`${file}:${line}:${column}`, message, ...explanation].join("\n");
}

/** The cases of a file, and what of the file could not be run, which fails as a case of its own. */
function suite(file: string, { cases, failed }: PolicyTestRun): Case[] {
  const failures = failed.filter((failure) => failure.file === file);
  const known = new Map(failures.map((failure) => [failure.index, failure]));
  const run = cases.flatMap((one): Case[] => {
    if (one.file !== file) return [];
    const failure = known.get(one.index);
    return [failure ? { ...one, failure } : one];
  });
  const unread = failures.filter(({ index }) => index === undefined);
  return [...unread.map((failure): Case => ({ ...failure, passed: false, index: -1, failure })), ...run];
}

/** A run as JUnit XML, which build servers show: a suite a file, a failure where something was not as expected. */
export function junitXml(run: PolicyTestRun, files: readonly string[]): string {
  const suites = files.map((file) => ({ file, cases: suite(file, run) }));
  const count = (cases: readonly Case[]) => cases.filter(({ failure }) => failure).length;
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="remit policy test" tests="${all.length}" failures="${count(all)}" errors="0" time="0">`,
    ...suites.flatMap(({ file, cases }) => [
      `  <testsuite name="${attribute(file)}" tests="${cases.length}" failures="${count(cases)}" errors="0" skipped="0" time="0">`,
      ...cases.flatMap(caseLines),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ].join("\n");
}
