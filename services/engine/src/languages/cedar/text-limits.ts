/** Brackets inside each other; `if`s, and other operators, of one policy. Cedar's parser and evaluator recurse on them. */
const depthMax = 32;
const ifsMax = 32;
const operatorsMax = 256;

const token = /"(?:[^"\\]|\\.)*"?|\/\/[^\n]*|\bif\b|&&|\|\||[!=<>]=|[([{]|[)\]}]|[-+*!<>.]|\b(?:in|has|like|is)\b|;/gs;

/** Where a text of Cedar would nest too deeply for its parser, which cannot say so itself; undefined if it does not. */
export function tooDeepAt(text: string): { readonly offset: number; readonly message: string } | undefined {
  let [depth, ifs, operators] = [0, 0, 0];
  for (const { 0: found, index: offset } of text.matchAll(token)) {
    const first = found[0] ?? "";
    if (first === '"' || found.startsWith("//")) continue;
    if ("([{".includes(first)) depth++;
    else if (")]}".includes(first)) depth--;
    else if (found === "if") ifs++;
    else if (found === ";" && depth <= 0) [depth, ifs, operators] = [0, 0, 0];
    else if (found !== ";") operators++;
    if (depth > depthMax) return { offset, message: `brackets nested more than ${depthMax} deep` };
    if (ifs > ifsMax) return { offset, message: `more than ${ifsMax} \`if\`s in one policy` };
    if (operators > operatorsMax) return { offset, message: `more than ${operatorsMax} operators in one policy` };
  }
  return undefined;
}
