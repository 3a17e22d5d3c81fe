import type { Command } from "commander";

/** Ends a command's help with lines that work as they stand. Each is a comment and the command below it. */
export function examples(command: Command, pairs: readonly (readonly [string, string])[]): Command {
  const lines = pairs.flatMap(([why, line]) => [`  # ${why}`, `  ${line}`]);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}\n`);
}
