import { hiddenCharacter, oneLine } from "./plain-text.ts";

const patterns: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    pattern:
      /<\s*\/?\s*(?:important|system|instructions?|secret|hidden|admin|assistant|developer|critical)\b[^>]{0,40}>?/i,
    what: "a tag that sets itself apart for the model",
  },
  {
    pattern:
      /\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|other|all|any|your)\b[^.\n]{0,30}\b(?:instructions?|rules?|prompts?|messages?|polic(?:y|ies)|guidelines?)/i,
    what: "it tells the model to ignore what it was told",
  },
  {
    pattern:
      /\b(?:do not|don't|never|without)\b[^.\n]{0,30}\b(?:tell|telling|mention|mentioning|inform|informing|notify|notifying|reveal|revealing|show|showing|ask|asking|let)\b[^.\n]{0,30}\b(?:user|human|person|operator|anyone)/i,
    what: "it tells the model to keep something from people",
  },
  {
    pattern:
      /\b(?:before|after|whenever|every time)\b[^.\n]{0,30}\b(?:using|calling|invoking|you (?:use|call|invoke|run)|any)\b[^.\n]{0,30}\b(?:tools?|functions?)\b/i,
    what: "it speaks of when other tools are called",
  },
  {
    pattern:
      /\byou (?:must|should|have to|need to|are required to) (?:always |never |first |also )*(?:call|use|invoke|run|read|pass|send|include|copy|provide|forward)\b/i,
    what: "it tells the model what to do",
  },
  {
    pattern:
      /(?:~|\/root|\/home\/\w+)\/\.(?:ssh|aws|config|env|netrc|gnupg|kube)\b|\bid_rsa\b|\/etc\/(?:passwd|shadow)\b|\bmcp\.json\b|\.env\b file/i,
    what: "it names a place where secrets are kept",
  },
  {
    pattern:
      /\b(?:system prompt|conversation history|previous messages|chat history|your (?:api key|credentials|instructions|context))\b/i,
    what: "it asks for what the model knows",
  },
];

// Each run is looked at once, from where it begins.
const farBelow = /(?<![^\S\n])[^\S\n]{60,}\S|(?<!\n)\n{10,}\S/;
const descriptionCharsMax = 8_000;
const textCharsMax = 100_000;

/**
 * What in the texts of a tool speaks to the model instead of about the tool, or is hidden from people: the known ways to
 * poison a tool. Nothing found proves nothing.
 */
export function poisonIn(texts: readonly string[]): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    const hidden = hiddenCharacter(text);
    if (hidden !== undefined) found.add(`its text hides characters (${hidden})`);
    if (farBelow.test(text)) found.add("its text goes on far from where it is seen");
    if (text.length > descriptionCharsMax) found.add(`a text of ${text.length} characters`);
    // As it would be read: without what is not seen, and with letters that look alike made the same.
    const seen = oneLine(text, textCharsMax).normalize("NFKC");
    for (const { pattern, what } of patterns) {
      const [match] = pattern.exec(seen) ?? [];
      if (match !== undefined) found.add(`its text speaks to the model: "${oneLine(match, 60)}" (${what})`);
    }
  }
  return [...found].slice(0, 8);
}
