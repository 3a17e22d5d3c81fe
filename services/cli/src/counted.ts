/** `1 error`, `2 errors`. */
export function counted(count: number, word: string): string {
  if (count === 1) return `1 ${word}`;
  return word.endsWith("y") ? `${count} ${word.slice(0, -1)}ies` : `${count} ${word}s`;
}
