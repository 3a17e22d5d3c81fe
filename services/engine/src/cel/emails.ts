import { type Frame, scanSteps, spend } from "./frame.ts";
import type { FunctionTable } from "./function-table.ts";
import { endsInNumber, isHostName } from "./host-name.ts";
import { costFailure, Failure, isList, type Outcome, typeConfusion, type Value } from "./value.ts";

const textCharsMax = 8192;
const localCharsMax = 64;
const odd = (why: string) => new Failure("error", `an address that ${why}`);

// What a name before `<…>` may hold, with quotes around it or without: nothing that could end it or be an address.
const displayName = /^[\p{L}\p{M}\p{N} ._'-]*$/u;
// Of RFC 5322's atext what no mail system gives a meaning of its own: no `%` and `!` (routes), `?` (encoded words),
// `/` and `|` (files and programs).
const localPart = /^[a-z0-9._+'=_-]+$/;

/** One address in lower case, out of `ada@acme.com` or `Ada Lovelace <ada@acme.com>`. */
function addressOf(item: string): string | Failure {
  if (!item.endsWith(">")) return checked(item);
  const open = item.indexOf("<");
  if (open < 0) return odd("has brackets that do not match");
  const name = withoutSpaces(item.slice(0, open));
  const quoted = name.length > 1 && name.startsWith('"') && name.endsWith('"');
  if (!displayName.test(quoted ? name.slice(1, -1) : name))
    return odd("has a name that could be read as something else");
  return checked(item.slice(open + 1, -1));
}

function isDomain(text: string): boolean {
  return isHostName(text) && text.includes(".") && !endsInNumber(text);
}

function checked(text: string): string | Failure {
  // Before letters are made small: some that are not ASCII have small forms that are.
  if (!/^[\x21-\x7e]*$/.test(text)) return odd("has characters outside ASCII, or spaces");
  const address = text.toLowerCase();
  const at = address.indexOf("@");
  if (at < 0) return odd("has no @");
  if (at !== address.lastIndexOf("@")) return odd("has several @");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (local.length > localCharsMax || !localPart.test(local)) return odd("has a local part that is not plain");
  if (local.startsWith(".") || local.endsWith(".") || local.includes("..")) return odd("has a dot out of place");
  if (local.startsWith("-")) return odd("begins with -");
  if (!isDomain(domain)) return odd("has a domain that is not plain");
  return address;
}

/** Without spaces on either side; other white space is no part of an address list. */
function withoutSpaces(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && text[from] === " ") from++;
  while (to > from && text[to - 1] === " ") to--;
  return text.slice(from, to);
}

function addressesOf(text: string, found: string[]): Failure | undefined {
  if (text.length > textCharsMax) return odd("is too long");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return odd("has control characters");
  for (const item of text.split(",")) {
    const address = addressOf(withoutSpaces(item));
    if (address instanceof Failure) return address;
    found.push(address);
  }
  return undefined;
}

/** Every address of a text, or of a list of texts; never none at all, so that a condition about all of them says something. */
function addresses([value]: readonly Value[], frame: Frame): Outcome {
  const texts = typeof value === "string" ? [value] : value;
  if (!isList(texts as Value)) return typeConfusion("email.addresses()", value as Value);
  const found: string[] = [];
  for (const text of texts as readonly Value[]) {
    if (typeof text !== "string") return typeConfusion("email.addresses()", text);
    if (!spend(frame, 2 * scanSteps(text.length))) return costFailure;
    const failure = addressesOf(text, found);
    if (failure) return failure;
  }
  return found.length === 0 ? new Failure("error", "a list of addresses that is empty") : found;
}

/** The domain of one address. */
function domain([text]: readonly Value[], frame: Frame): Outcome {
  if (typeof text !== "string") return typeConfusion("email.domain()", text as Value);
  const found: string[] = [];
  if (!spend(frame, 2 * scanSteps(text.length))) return costFailure;
  const failure = addressesOf(text, found);
  if (failure) return failure;
  const [address = ""] = found;
  return found.length === 1 ? address.slice(address.indexOf("@") + 1) : odd("is more than one");
}

export const emailFunctions: FunctionTable = {
  "email.addresses": { params: [["string", "list"]], result: "list", items: "string", apply: addresses },
  "email.domain": {
    params: [["string"]],
    result: "string",
    never: (literal) => {
      if (typeof literal !== "string" || isDomain(literal)) return undefined;
      const meant = literal.toLowerCase().replace(/^.*@/, "").replace(/\.$/, "");
      return {
        message: `\`email.domain\` is never ${JSON.stringify(literal.slice(0, 100))}`,
        expected: "a domain in lower case, such as acme.com",
        nearest: isDomain(meant) ? JSON.stringify(meant) : undefined,
      };
    },
    apply: domain,
  },
};
