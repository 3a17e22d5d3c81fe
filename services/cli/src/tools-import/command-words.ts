import { usage } from "../stop.ts";

/**
 * The words of a command line as a shell reads them: quotes and backslashes, and nothing else. No shell runs it, so
 * variables and pipes are plain words.
 */
export function commandWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote !== "") {
      if (char === quote) quote = "";
      else if (char === "\\" && quote === '"' && /["\\$`]/.test(line.charAt(at + 1))) word += line.charAt(++at);
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (char === "\\" && at + 1 < line.length) word = (word ?? "") + line.charAt(++at);
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") throw usage(`--command has a quote that is not closed: ${line}`);
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw usage("--command is empty", '--command "npx -y some-mcp-server"');
  return words;
}
