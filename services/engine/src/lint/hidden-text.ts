import { literalAt } from "../cel/scan.ts";
import type { ExpressionWarning } from "./look.ts";

/**
 * Where a comment begins that runs to the end of an expression, if one does. YAML folds the lines of a text that is not
 * a `|` block into one, and what stood on the lines after the comment is part of it then.
 */
function lastComment(text: string): number | undefined {
  let at = 0;
  while (at < text.length) {
    if (text.startsWith("//", at)) {
      const end = text.indexOf("\n", at);
      if (end < 0) return at;
      at = end + 1;
    } else at = afterLiteral(text, at) ?? at + 1;
  }
  return undefined;
}

/** Where a text that begins there ends; its prefix (`r"…"`) is none where it ends a name. */
function afterLiteral(text: string, at: number): number | undefined {
  const isText = /["']/.test(text[at] ?? "") || (/[rb]/i.test(text[at] ?? "") && !/\w/.test(text[at - 1] ?? " "));
  return isText ? literalAt(text, at)?.end : undefined;
}

/** Controls, format characters and separators of lines, other than the white space of CEL. */
const unseen = /[\p{Cf}\p{Zl}\p{Zp}]|(?![\t\n\f\r])\p{Cc}/u;

const escaped = (code: number) =>
  code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;

/** Warns of what whoever reviews an expression reads otherwise than the engine does. */
export const hiddenText: ExpressionWarning = ({ text, pointer }, _tools, { report }) => {
  const comment = lastComment(text);
  if (comment !== undefined && text.slice(comment + 2).trim() !== "") {
    report(pointer, "a comment that runs to the end: lines that YAML folded into its own are part of it", {
      ...{ code: "text_hidden", severity: "warning", within: { text, offset: comment } },
      expected: "a comment of YAML's (#) outside the expression, or a block that begins with |",
    });
  }
  const hidden = unseen.exec(text);
  if (hidden) {
    const code = hidden[0].codePointAt(0) ?? 0;
    report(pointer, "a character that cannot be seen", {
      ...{ code: "text_hidden", severity: "warning", within: { text, offset: hidden.index } },
      expected: `in a text, what stands for it: ${escaped(code)}`,
    });
  }
};
