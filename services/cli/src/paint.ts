const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

/** Puts a colour, or nothing, around a text. */
export type Paint = Readonly<Record<keyof typeof codes, (text: string) => string>>;

/** Colours where they are wanted; texts as they are elsewhere. */
export function painter(enabled: boolean): Paint {
  const entries = Object.entries(codes).map(([name, code]) => [
    name,
    enabled ? (text: string) => `\x1b[${code}m${text}\x1b[0m` : (text: string) => text,
  ]);
  return Object.fromEntries(entries) as Paint;
}

/** Whether a stream shows colours: only a terminal does, and NO_COLOR has the last word (no-color.org). */
export function wantsColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
}
