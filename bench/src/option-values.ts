/** The whole number from 1 to `most` that an option's text says; throws a sentence that names the option. */
export function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Error(`--${option} takes a whole number from 1 to ${most}, not "${text}"`);
  return value;
}

/** A list of cores as taskset takes it, such as 0 or 0,1 or 0-3; throws a sentence when it is none. */
export function coreList(text: string | undefined): string | undefined {
  if (text === undefined || /^\d+([-,]\d+)*$/.test(text)) return text;
  throw new Error(`--server-cores takes cores such as 0 or 0,1, not "${text}"`);
}
