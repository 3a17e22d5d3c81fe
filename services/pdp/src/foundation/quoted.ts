const CHARS_MAX = 200;

/** A text as a message repeats it: quoted, and no longer than somebody reads, however long it is. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length <= CHARS_MAX ? text : `${text.slice(0, CHARS_MAX - 1)}…`);
