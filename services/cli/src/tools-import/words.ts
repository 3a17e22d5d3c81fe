import type { Risk } from "@remit/engine";

/** What a verb does to what it is applied to. */
type Deed = Exclude<Risk, "unclassified">;

const list = (text: string) => text.trim().split(/\s+/);

const verbs: Readonly<Record<Deed, readonly string[]>> = {
  read: list(`
    get list read search find fetch query lookup describe show view count check inspect browse retrieve select scan
    head stat diff compare validate verify lint preview summarize analyze analyse explain status ping whoami tail grep
    exists calculate compute estimate measure return crawl scrape
  `),
  write: list(`
    create add insert write update set put post patch edit modify change rename move copy upload save store append
    replace merge commit push send publish submit share invite notify reply comment message email mail sms call
    transfer pay refund charge capture purchase buy order book reserve schedule assign approve reject close open reopen
    enable disable start stop pause resume restart trigger import register subscribe unsubscribe upsert sync configure
    grant authorize rotate generate apply install lock unlock mark archive restore fork tag label pin unpin
    navigate click type press fill hover drag resize deposit withdraw issue mint sign cancel download deploy ban
    suspend deactivate unpublish drain detach block unblock follow unfollow
  `),
  destructive: list(`
    delete remove destroy drop purge erase wipe truncate clear reset revoke terminate kill shutdown uninstall
    overwrite execute exec run eval shell bash spawn rollback expunge evict flush deprovision
  `),
};

const deeds: ReadonlyMap<string, Deed> = new Map(
  (Object.keys(verbs) as Deed[]).flatMap((deed) => verbs[deed].map((verb) => [verb, deed] as const)),
);

const nameCharsMax = 300;

/** The words of a name: `getUserByID`, `files.delete_all`, `list-pods` come apart where people read them apart. */
export function wordsOf(name: string): string[] {
  return name
    .slice(0, nameCharsMax)
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[^A-Za-z]+/)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase());
}

/** What a verb does: `delete`, `deletes`, `deleting`, `deleted` alike; undefined for any other word. */
export function deedOf(word: string): Deed | undefined {
  for (const stem of stemsOf(word)) {
    const deed = deeds.get(stem);
    if (deed) return deed;
  }
  return undefined;
}

function stemsOf(word: string): string[] {
  const stems = [word];
  if (word.endsWith("ies")) stems.push(`${word.slice(0, -3)}y`);
  if (word.endsWith("es")) stems.push(word.slice(0, -2));
  if (word.endsWith("s")) stems.push(word.slice(0, -1));
  for (const ending of ["ing", "ed"]) {
    if (!word.endsWith(ending) || word.length < ending.length + 3) continue;
    const stem = word.slice(0, -ending.length);
    stems.push(stem, `${stem}e`);
    if (stem.at(-1) === stem.at(-2)) stems.push(stem.slice(0, -1));
  }
  return stems;
}

export interface FoundVerb {
  readonly word: string;
  readonly deed: Deed;
}

// In a name these are things more often than deeds: `run_id`, `open_orders`, `order_status`.
const thingsToo = new Set(
  list(
    "open order call message email mail format label tag status type run head issue check share comment book post pin mark start stop close sign lock",
  ),
);

/**
 * The verbs of a name, in order. A word that may be a thing counts where it leads its part of the name (`orders.open`);
 * elsewhere only if nothing else does, and only if it may do harm (`slack_post_message`).
 */
export function verbsOfName(name: string): FoundVerb[] {
  const words = wordsOf(name);
  const lastPart = wordsOf(name.slice(0, nameCharsMax).split(/[./:]/).at(-1) ?? "");
  const verbs = words.flatMap((word, index) => {
    const deed = deeds.get(word);
    const certain = index === 0 || index === words.length - lastPart.length || !thingsToo.has(word);
    return deed ? [{ word, deed, certain }] : [];
  });
  const certain = verbs.filter((verb) => verb.certain);
  const found = certain.length > 0 ? certain : verbs.filter(({ deed }) => deed !== "read");
  return found.map(({ word, deed }) => ({ word, deed }));
}

const auxiliaries = new Set(
  list(
    "please use this tool to allows lets can will it you automatically safely simply and then also quickly call invoke",
  ),
);

/** The verbs that the sentences of a description begin with: what it says that the tool does. */
export function verbsOfText(text: string): FoundVerb[] {
  const sentences = text.split(/[.!?:;\n]+/).slice(0, 40);
  return sentences.flatMap((sentence) => {
    const word = wordsOf(sentence.slice(0, 200)).find((one) => !auxiliaries.has(one));
    const deed = word === undefined ? undefined : deedOf(word);
    return word !== undefined && deed ? [{ word, deed }] : [];
  });
}
