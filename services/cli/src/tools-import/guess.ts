import type { Risk } from "@remit/engine";
import { argumentSigns } from "./argument-signs.ts";
import type { Guess, OfferedTool } from "./offered-tool.ts";
import { oneLine } from "./plain-text.ts";
import { poisonIn } from "./poison.ts";
import { argumentsOf, textsOf } from "./schema-arguments.ts";
import { type FoundVerb, verbsOfName, verbsOfText, wordsOf } from "./words.ts";

interface Sign {
  readonly risk: Risk;
  readonly why: string;
}

/** What is read of a description; poison is looked for in all of it. */
const descriptionCharsMax = 20_000;

const secretWords = new Set(
  "env environ environment secret secrets credential credentials password passwords passwd vault keychain ssh".split(
    " ",
  ),
);

const order: readonly Risk[] = ["unclassified", "read", "write", "destructive"];
const rank = (risk: Risk) => order.indexOf(risk);

/** RFC 9110, section 9.2.1: safe methods are defined to be read-only; a server may still break its word. */
const methods: Readonly<Record<string, Risk>> = {
  get: "read",
  head: "read",
  options: "read",
  post: "write",
  put: "write",
  patch: "write",
  delete: "destructive",
};

/**
 * What a tool may do, guessed from what its server says of it. A guess goes up on any sign and down on none: `read` needs
 * a name or an HTTP method that says so and nothing that speaks against it; annotations and descriptions are claims,
 * believed only against the tool. Nothing known is `unclassified`.
 */
export function guessRisk(tool: OfferedTool): Guess {
  const { name, otherTexts = [], inputSchema } = tool;
  const description = tool.description.slice(0, descriptionCharsMax);
  const given = argumentsOf(inputSchema);
  const poison = poisonIn([name, tool.description, ...otherTexts, ...textsOf(inputSchema)]);
  const byArguments = argumentSigns(given, `${name} ${description}`);
  const named = namedSigns(tool);
  const described = describedSigns(description, named);
  const reads = named.some(({ risk }) => risk === "read") || tool.claims?.readOnly === true;
  const signs: Sign[] = [
    ...named,
    ...described.filter(({ risk }) => risk !== "read"),
    ...claimedHarm(tool),
    ...byArguments.filter(({ strong }) => strong || !reads),
  ];
  const worst = signs.reduce<Risk>((most, { risk }) => (rank(risk) > rank(most) ? risk : most), "unclassified");
  const common = {
    poison,
    doubts: [...brokenClaims(tool, worst), ...secretsIn(name)],
    foreignOutput: tool.claims?.openWorld === true || byArguments.some(({ reaches }) => reaches),
  };
  const told = byArguments.map(({ why }) => why);
  if (worst === "unclassified") return { risk: worst, why: [...nothingKnown(tool, described), ...told], ...common };
  if (worst === "read" && poison.length > 0) {
    return { risk: "unclassified", why: ["a text that speaks to the model is no evidence of harmlessness"], ...common };
  }
  const deciding = signs.filter(({ risk }) => risk === worst).map(({ why }) => why);
  return { risk: worst, why: [...new Set([...deciding, ...(worst === "read" ? told : [])])], ...common };
}

const quoted = ({ word }: FoundVerb) => `\`${oneLine(word, 40)}\``;

function namedSigns({ name, http }: OfferedTool): Sign[] {
  const signs: Sign[] = verbsOfName(name).map((verb) => ({ risk: verb.deed, why: `its name says ${quoted(verb)}` }));
  const method = http && methods[http.method.toLowerCase()];
  if (http && method) signs.push({ risk: method, why: `HTTP ${http.method.toUpperCase()}` });
  return signs;
}

/** What the description says beyond what the name says already. */
function describedSigns(description: string, named: readonly Sign[]): Sign[] {
  const signs: Sign[] = verbsOfText(description)
    .map((verb) => ({ risk: verb.deed, why: `its description says ${quoted(verb)}` }))
    .filter(({ risk }) => named.every((sign) => sign.risk !== risk));
  const [final] =
    /\b(?:permanent(?:ly)?|irreversibl[ey]|cannot be undone|can't be undone|destructive)\b/i.exec(description) ?? [];
  if (final !== undefined && !/\bnon-?$|\bnot $/i.test(description.slice(0, description.indexOf(final)))) {
    signs.push({ risk: "destructive", why: `its description says \`${final.toLowerCase()}\`` });
  }
  return signs;
}

function claimedHarm({ claims }: OfferedTool): Sign[] {
  const signs: Sign[] = [];
  if (claims?.readOnly === false) signs.push({ risk: "write", why: "its server says that it does not only read" });
  if (claims?.destructive === true && claims.readOnly !== true) {
    signs.push({ risk: "destructive", why: "its server says that it may destroy" });
  }
  return signs;
}

function nothingKnown({ claims }: OfferedTool, described: readonly Sign[]): string[] {
  const says = described.find(({ risk }) => risk === "read");
  if (claims?.readOnly) return ["its server claims that it only reads, and nothing else says so"];
  if (says) return [`${says.why}, and nothing else says what it does`];
  return ["nothing says what it does"];
}

/** To read is no harm but where what is read is. */
function secretsIn(name: string): string[] {
  const word = wordsOf(name).find((one) => secretWords.has(one));
  return word === undefined ? [] : [`it may answer secrets: its name says \`${word}\``];
}

function brokenClaims({ claims }: OfferedTool, worst: Risk): string[] {
  if (claims?.readOnly && rank(worst) > rank("read"))
    return ["its server claims that it only reads, which does not fit"];
  if (claims?.destructive === false && worst === "destructive") {
    return ["its server claims that it does not destroy, which does not fit"];
  }
  return [];
}
