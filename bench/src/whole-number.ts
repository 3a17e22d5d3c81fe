/** The whole number from 1 to `most` that an option's text says; throws a sentence that names the option. */
export function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Error(`--${option} takes a whole number from 1 to ${most}, not "${text}"`);
  return value;
}
