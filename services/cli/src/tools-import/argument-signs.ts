import type { Risk } from "@remit/engine";
import { oneLine } from "./plain-text.ts";
import type { Argument } from "./schema-arguments.ts";
import { deedOf, wordsOf } from "./words.ts";

/** What an argument says about its tool. */
export interface ArgumentSign {
  /** `unclassified` where it says nothing by itself: a path may be read or written. */
  readonly risk: Exclude<Risk, "read">;
  readonly why: string;
  /** Whether it stands against all that says that the tool only reads: an amount may be a filter, a command may do anything. */
  readonly strong: boolean;
  /** Whether the tool reaches what its caller names. */
  readonly reaches: boolean;
}

interface Kind extends Omit<ArgumentSign, "why"> {
  readonly names: RegExp;
  readonly says: string;
}

const kinds: readonly Kind[] = [
  {
    names: /^(command|cmd|shell|script|code|expression|program|bash|args?v|executable)$/,
    says: "runs what it is given",
    risk: "destructive",
    strong: true,
    reaches: false,
  },
  {
    names: /^(sql|statement|mutation|cypher|aql)$/,
    says: "takes statements for a database, which may do anything that the database allows",
    risk: "destructive",
    strong: true,
    reaches: false,
  },
  {
    names: /^(url|uri|href|webhook|callback|endpoint|host|hostname|domain|link)$/,
    says: "reaches whatever address it is given, so data can leave by it",
    risk: "write",
    strong: true,
    reaches: true,
  },
  {
    names: /^(force|overwrite|purge|permanent|permanently|irreversible|cascade)$/,
    says: "can be told to insist",
    risk: "write",
    strong: true,
    reaches: false,
  },
  {
    names: /^(amount|price|total|currency|payment|iban|account|balance|salary|cents|refund)$/,
    says: "looks like money",
    risk: "write",
    strong: false,
    reaches: false,
  },
  {
    names: /^(to|cc|bcc|recipient|recipients|email|phone|channel|assignee|attendees|invitees|receiver)$/,
    says: "names who receives something",
    risk: "write",
    strong: false,
    reaches: false,
  },
  {
    names: /^(path|paths|file|filename|filepath|directory|dir|destination|folder)$/,
    says: "names a place in a file system",
    risk: "unclassified",
    strong: false,
    reaches: false,
  },
  {
    names: /^(content|contents|body|text|message|data|payload|value|patch)$/,
    says: "hands over content",
    risk: "write",
    strong: false,
    reaches: false,
  },
];

const databaseText = /\b(?:sql|select statement|insert|cypher|graphql)\b/i;

/** What the arguments of a tool say about it, at most one sign a kind. `about`: the tool's own name and description. */
export function argumentSigns(given: readonly Argument[], about: string): ArgumentSign[] {
  const signs: ArgumentSign[] = [];
  for (const { names, says, ...kind } of kinds) {
    const found = given.find(
      (argument) => names.test(wordsOf(argument.name).at(-1) ?? "") || byFormat(argument, names),
    );
    if (found) signs.push({ ...kind, why: `argument \`${shown(found.path)}\` ${says}` });
  }
  const query = given.find(
    ({ name, text }) => /^(query|q|filter)$/i.test(name) && databaseText.test(`${text} ${about}`),
  );
  if (query) {
    const why = `argument \`${shown(query.path)}\` takes statements for a database, which may do anything that it allows`;
    signs.push({ risk: "destructive", why, strong: true, reaches: false });
  }
  return [...signs, ...choiceSigns(given)];
}

function byFormat({ format }: Argument, names: RegExp): boolean {
  return ["uri", "url", "iri", "hostname", "email"].includes(format) && names.test(format === "iri" ? "uri" : format);
}

/** One tool for many deeds: `action: create | delete`. */
function choiceSigns(given: readonly Argument[]): ArgumentSign[] {
  return given.flatMap(({ name, path, choices }) => {
    if (!/(?:^|_|\b)(?:action|operation|op|method|mode|command|verb)$/i.test(name)) return [];
    const deeds = choices.map((choice) => ({ choice, deed: deedOf(wordsOf(choice)[0] ?? "") }));
    const worst = deeds.find(({ deed }) => deed === "destructive") ?? deeds.find(({ deed }) => deed === "write");
    if (worst?.deed !== "destructive" && worst?.deed !== "write") return [];
    const why = `argument \`${shown(path)}\` may be \`${shown(worst.choice)}\``;
    return [{ risk: worst.deed, why, strong: true, reaches: false }];
  });
}

const shown = (text: string) => oneLine(text, 60).replaceAll("`", "'");
