import { type Answer, type Known, odd } from "./values.ts";

const grammar = "if then elif else fi for select while until do done case esac in function time coproc".split(" ");

type State = "between" | "word" | "single" | "double" | "escape" | "escape in double";

interface Reading {
  state: State;
  words: string[];
  /** Whether the first word had a quote or a backslash. */
  quoted: boolean;
  before: string;
}

/** One character of a command; false for what a shell would do more with than split. */
function step(reading: Reading, one: string): boolean {
  const { words, state } = reading;
  const put = () => {
    words[words.length - 1] += one;
    return true;
  };
  const go = (next: State) => {
    reading.state = next;
    if (words.length === 1) reading.quoted = true;
    return true;
  };
  switch (state) {
    case "single":
      return one === "'" ? go("word") : put();
    case "escape":
      reading.state = "word";
      return one <= "~" && put();
    case "double":
      if (one === "\\") return go("escape in double");
      return one === '"' ? go("word") : !"$`!".includes(one) && put();
    case "escape in double":
      reading.state = "double";
      return (one === '"' || one === "\\") && put();
    default:
  }
  if (one === " ") {
    reading.state = "between";
    return true;
  }
  if (state === "between") words.push("");
  reading.state = "word";
  if (one === "'") return go("single");
  if (one === '"') return go("double");
  if (one === "\\") return go("escape");
  if (one === "~") return words[words.length - 1] !== "" && /[A-Za-z0-9_]/.test(reading.before) && put();
  if (one === "=" && words[words.length - 1] === "") return false;
  return /[A-Za-z0-9_@%+=:,./-]/.test(one) && put();
}

/** `argv(command)`. */
export function commandWords([text = null]: readonly Known[], flaw: string | undefined): Answer {
  if (typeof text !== "string" || text.length > 8192) return odd;
  const read = flaw === "commands-end-at-a-semicolon" ? (text.split(";")[0] ?? "") : text;
  const reading: Reading = { state: "between", words: [], quoted: false, before: " " };
  for (const one of read) {
    if (one < " " || one === "\u007f" || /\p{Cf}/u.test(one) || !step(reading, one)) return odd;
    reading.before = one;
  }
  const { state, words, quoted } = reading;
  const [first = ""] = words;
  if ((state !== "word" && state !== "between") || first === "") return odd;
  if (/^[A-Za-z_][A-Za-z0-9_]*[+]?=/.test(first) && flaw !== "assignments-are-programs") return odd;
  if (!quoted && grammar.includes(first)) return odd;
  return flaw === "quotes-stay-in-words" ? read.split(" ").filter((word) => word !== "") : words;
}
