import type { Steps } from "../foundation/steps.ts";
import type { Finding } from "./finding.ts";

/** Shorter texts stand in other words by chance: they are taken out where they stand alone. */
export const CHARS_MIN = 4;

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** How a text stands within JSON, without its quotes. */
const inJson = (text: string) =>
  /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text) ? text : JSON.stringify(text).slice(1, -1);

/** A sentence without the secrets that it quotes. */
function scrub(sentence: string, secrets: readonly string[]): string {
  const spellings = new Set<string>();
  for (const secret of secrets) {
    if (secret === "") continue;
    if (sentence.includes(secret)) spellings.add(secret);
    const written = inJson(secret);
    if (written !== secret && sentence.includes(written)) spellings.add(written);
  }
  let clean = sentence;
  // The longest first: what holds another is taken out whole.
  for (const secret of [...spellings].sort((a, b) => b.length - a.length)) {
    if (secret.length >= CHARS_MIN) clean = clean.replaceAll(secret, "[redacted]");
    else {
      clean = clean.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped(secret)}(?![\\p{L}\\p{N}])`, "gu"), "[redacted]");
    }
  }
  return clean;
}

const GRAM = 4;
const gramsCount = 1 << 16;

/** A number for the four characters there; undefined where one of them may be written otherwise within JSON. */
function gramAt(text: string, at: number): number | undefined {
  let gram = 0;
  for (let index = at; index < at + GRAM; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return undefined;
    gram = (Math.imul(gram, 31) + code) | 0;
  }
  return gram & (gramsCount - 1);
}

/** Whether a text may hold another, as it is or within JSON: thousands are told apart by how they begin and end. */
function mayHold(text: string): (part: string) => boolean {
  const grams = new Uint8Array(gramsCount);
  for (let at = 0; at + GRAM <= text.length; at++) {
    const gram = gramAt(text, at);
    if (gram !== undefined) grams[gram] = 1;
  }
  const rulesOut = (gram: number | undefined) => gram !== undefined && grams[gram] === 0;
  return (part) => part.length < GRAM || !(rulesOut(gramAt(part, part.length - GRAM)) || rulesOut(gramAt(part, 0)));
}

const lookCost = 0.02;
/** So few that looking for each costs less than telling them apart. */
const fewTexts = 50;
const charsPerStep = 5_000;

/** Those of some texts that stand in another, as they are or within JSON. */
export function* quotedIn(said: string, texts: readonly string[]): Steps<string[]> {
  if (said === "" || texts.length === 0) return [];
  const may = texts.length > fewTexts ? mayHold(said) : () => true;
  let cost = 1 + said.length / 500;
  const quoted = new Set<string>();
  for (const text of texts) {
    cost += lookCost;
    if (cost > 1) {
      yield cost;
      cost = 0;
    }
    if (!may(text)) continue;
    if (said.includes(text) || said.includes(inJson(text))) quoted.add(text);
    cost += said.length / charsPerStep;
  }
  return [...quoted];
}

/** Characters of sentences that secrets are looked for in at once. */
const SAID_CHARS_MAX = 16_000;

/** Sentences without the secrets that they quote, in the same order. */
export function* withoutSecrets(sentences: readonly string[], secrets: readonly string[]): Steps<readonly string[]> {
  if (secrets.length === 0) return sentences;
  const clean: string[] = [];
  for (let from = 0; from < sentences.length; ) {
    let [to, chars] = [from, 0];
    do chars += sentences[to++]?.length ?? 0;
    while (to < sentences.length && chars < SAID_CHARS_MAX);
    const some = sentences.slice(from, to);
    const quoted = yield* quotedIn(some.join("\n"), secrets);
    for (const sentence of some) {
      clean.push(scrub(sentence, quoted));
      yield quoted.length * lookCost + sentence.length / charsPerStep;
    }
    from = to;
  }
  return clean;
}

/** The same finding, with every sentence of it as `told` tells it. */
export function retold(verdict: Finding, told: (sentence: string) => string): Finding {
  const said = <Part extends { message: string; detail?: string; remedy?: string }>(part: Part): Part => ({
    ...part,
    message: told(part.message),
    ...(part.detail !== undefined && { detail: told(part.detail) }),
    ...(part.remedy !== undefined && { remedy: told(part.remedy) }),
  });
  const { would, approval, questions, unknowns } = verdict;
  return {
    ...said(verdict),
    ...(would && { would: said(would) }),
    ...(approval && {
      approval: { ...approval, ...(approval.summary !== undefined && { summary: told(approval.summary) }) },
    }),
    ...(questions && { questions: questions.map((question) => ({ ...question, ask: told(question.ask) })) }),
    unknowns: unknowns.map((unknown) => ({ ...unknown, why: told(unknown.why) })),
  };
}

/** The same finding, with nothing that it quotes of some texts. */
export function* scrubbed(verdict: Finding, secrets: readonly string[]): Steps<Finding> {
  const sentences: string[] = [];
  const collect = (sentence: string) => {
    sentences.push(sentence);
    return sentence;
  };
  retold(verdict, collect);
  const clean = yield* withoutSecrets(sentences, secrets);
  // It tells them in the order in which they were collected.
  let at = 0;
  return retold(verdict, (sentence) => clean[at++] ?? sentence);
}
