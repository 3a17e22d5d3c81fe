/** Sets of places in a text, 32 in a word: place `p` stands before the character `p`. */
type Places = Uint32Array;

const WORD = 32;
const CARRY = 2 ** WORD;

const has = (places: Places, at: number) => ((places[at >>> 5] ?? 0) >>> (at & 31)) & 1;
const add = (places: Places, at: number) => {
  places[at >>> 5] = (places[at >>> 5] ?? 0) | (1 << (at & 31));
};

/** A subject, made ready to be compared with many globs. */
export interface Subject {
  readonly text: string;
  /** Places where a single star may go on: before any character that separates nothing. */
  readonly within: Places;
  /** Where each character stands, as soon as it was asked for. */
  readonly standing: Map<string, Places>;
}

export function subjectOf(text: string): Subject {
  const within = new Uint32Array((text.length >>> 5) + 1);
  for (let at = 0; at < text.length; at++) if (text[at] !== ":" && text[at] !== "/") add(within, at);
  return { text, within, standing: new Map() };
}

function standingOf({ text, within, standing }: Subject, char: string): Places {
  const known = standing.get(char);
  if (known) return known;
  const places = new Uint32Array(within.length);
  for (let at = text.indexOf(char); at !== -1; at = text.indexOf(char, at + 1)) add(places, at);
  standing.set(char, places);
  return places;
}

/** Behind every place at which the character stands. Answers whether there is any. */
function step(reached: Places, standing: Places): boolean {
  let carried = 0;
  let any = 0;
  for (let word = 0; word < reached.length; word++) {
    const here = (reached[word] ?? 0) & (standing[word] ?? 0);
    const moved = (here << 1) | carried;
    carried = here >>> 31;
    reached[word] = moved;
    any |= moved;
  }
  return any !== 0;
}

/** On from every place for as long as nothing separates: adding carries a bit to the end of the run that it is in. */
function spread(reached: Places, within: Places): void {
  let carried = 0;
  for (let word = 0; word < reached.length; word++) {
    const from = reached[word] ?? 0;
    const run = within[word] ?? 0;
    const sum = ((from & run) >>> 0) + run + carried;
    carried = sum >= CARRY ? 1 : 0;
    reached[word] = ((sum | 0) ^ run) | from;
  }
}

/** On from the first place to the end of the text. */
function cross(reached: Places): void {
  let open = false;
  for (let word = 0; word < reached.length; word++) {
    const here = reached[word] ?? 0;
    // Everything from the lowest bit on.
    reached[word] = open ? -1 : here | -here;
    open ||= here !== 0;
  }
}

/** The same for a subject that was made ready: some operations for each 32 of its characters and each of the glob's. */
export function isMeant(glob: string, subject: Subject): boolean {
  const { text, within } = subject;
  if (!glob.includes("*")) return glob === text;
  const reached = new Uint32Array(within.length);
  add(reached, 0);
  for (let at = 0; at < glob.length; at++) {
    if (glob[at] !== "*") {
      if (!step(reached, standingOf(subject, glob[at] ?? ""))) return false;
    } else if (glob[at + 1] === "*") {
      cross(reached);
      at++;
    } else spread(reached, within);
  }
  return has(reached, text.length) === 1;
}

/**
 * Whether a subject is meant by a glob: `*` stands for any run of characters, also none, that holds neither `:` nor `/`,
 * so that it stays within its part of a name; `**` stands for any run at all; every other character for itself.
 */
export const subjectMatches = (glob: string, subject: string): boolean => isMeant(glob, subjectOf(subject));
