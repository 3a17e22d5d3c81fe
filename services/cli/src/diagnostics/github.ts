import type { Problem } from "@remit/engine";

/** Escapes as GitHub's workflow commands want it: docs.github.com, "Workflow commands", and the toolkit's `command.ts`. */
const data = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string) => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/** A problem as an annotation of GitHub Actions: one line of output. */
export function githubAnnotation({ file, line, column, severity, code, message, expected, nearest }: Problem): string {
  const place = line > 0 ? `,line=${line},col=${column}` : "";
  const more = [expected && `expected: ${expected}`, nearest && `did you mean: ${nearest}`].filter(Boolean);
  const text = data([message, ...more].join("\n"));
  return `::${severity} file=${property(file)}${place},title=${property(code)}::${text}`;
}
