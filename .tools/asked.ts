import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

// How the programs for developers take their options: each says what it can do, and nobody meets a stack trace.

/** What somebody asked for cannot be had: a sentence that names the option, and what it takes. */
export class WrongOption extends Error {}

const UNREADABLE = "ERR_PARSE_ARGS_";
const helpOption = { help: { type: "boolean", default: false } } as const;

function isUnreadable(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith(UNREADABLE);
}

function endWrong(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

/**
 * The options that this program was given. Asked for `--help` it writes that and ends with 0; given an option that it does
 * not know it says so, writes the same, and ends with 2.
 */
export function askedFor<const Options extends ParseArgsOptionsConfig>(
  help: string,
  options: Options,
  args: readonly string[] = process.argv.slice(2),
) {
  const read = () => parseArgs({ args: [...args], options: { ...options, ...helpOption } }).values;
  try {
    const values = read();
    if (!("help" in values && values.help)) return values;
  } catch (error) {
    if (isUnreadable(error)) endWrong(`${error.message}\n\n${help}`);
    throw error;
  }
  process.stdout.write(help);
  process.exit(0);
}

/** Runs a program; where it finds that an option is wrong it says so, and ends with 2. */
export async function runProgram(program: () => unknown): Promise<void> {
  try {
    await program();
  } catch (error) {
    if (error instanceof WrongOption) endWrong(error.message);
    throw error;
  }
}

/** The whole number from 1 to `most` that an option's text says. */
export function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new WrongOption(`--${option} takes a whole number from 1 to ${most}, not "${text}"`);
}
