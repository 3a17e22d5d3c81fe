import { charSteps, type Frame, type Meter, searchSteps, spend } from "./frame.ts";

/** Of shorter texts the steps that every search takes are enough. */
const COUNTED_CHARS_MIN = 12;
/**
 * The machine goes from place to place at which a text has the first letter of what is looked for: very fast to a letter that
 * is rare, and at some nanoseconds a place. Of a text of wider letters it looks at bytes, at both of each letter.
 */
const PLACES_A_STEP = 4;

/** What the text that was searched last is made of: how often each byte stands in its letters. */
export interface Searched {
  text: string;
  readonly bytes: Uint32Array;
}

function countBytes(text: string, bytes: Uint32Array): void {
  bytes.fill(0);
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    const low = letter & 255;
    bytes[low] = (bytes[low] ?? 0) + 1;
    if (letter > 255) bytes[letter >> 8] = (bytes[letter >> 8] ?? 0) + 1;
  }
}

/** How often each byte stands in a text of which several parts are looked for, mostly; undefined where no steps are left. */
function bytesOf(text: string, meter: Meter): Uint32Array | undefined {
  if (meter.searched?.text === text) return meter.searched.bytes;
  meter.steps -= charSteps(text.length);
  if (meter.steps < 0) return undefined;
  meter.searched ??= { text, bytes: new Uint32Array(256) };
  meter.searched.text = text;
  countBytes(text, meter.searched.bytes);
  return meter.searched.bytes;
}

/** At how many places of a text the machine looks closer, at most. */
function placesOf(bytes: Uint32Array, part: string): number {
  const letter = part.charCodeAt(0);
  return bytes[Math.max(letter & 255, letter >> 8)] ?? 0;
}

/**
 * Whether a text contains a part; undefined where no steps are left. It takes the steps of {@link searchSteps} and some for each
 * place of the text that begins like the part: few in what people write, very many in what is made to be searched slowly.
 */
export function search(text: string, part: string, frame: Frame): boolean | undefined {
  if (!spend(frame, searchSteps(text.length, part.length))) return undefined;
  if (text.length >= COUNTED_CHARS_MIN && part !== "") {
    const bytes = bytesOf(text, frame.meter);
    if (!bytes || !spend(frame, Math.floor(placesOf(bytes, part) / PLACES_A_STEP))) return undefined;
  }
  return text.includes(part);
}
