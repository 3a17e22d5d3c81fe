import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { outcomeOf } from "../../engine/test/conditions.ts";

// It stands here because the engine's own tests start no process.
test("argv splits what it accepts exactly as /bin/sh does", () => {
  const pieces = fc.constantFrom(
    ...["a", "git", "-n", "B=c", "x/y", "1", "%", "@", ":", "~", "'", "'", '"', '"', "\\", " ", " ", "é", "$", "*"],
    ...["'a b'", '"c  d"', "'$x'", "\\ ", '\\"', "\\\\", "';'", "=", ",", "+", "{", "#"],
  );
  const commands = fc.sample(
    fc.array(pieces, { minLength: 1, maxLength: 10 }).map((parts) => parts.join("")),
    { numRuns: 4000, seed: 20261121 },
  );
  const accepted = commands.flatMap((command) => {
    const words = outcomeOf("argv(input.command)", { input: { command } });
    return Array.isArray(words) ? [{ command, words }] : [];
  });
  expect(accepted.length).toBeGreaterThan(300);
  const script = accepted.map(({ command }) => `printf '%s\\0' ${command}\nprintf '\\n'\n`).join("");
  const lines = execFileSync("/bin/sh", ["-s"], { input: script, encoding: "utf8", maxBuffer: 2 ** 24 }).split("\n");
  for (const [index, { command, words }] of accepted.entries()) {
    expect(lines[index]?.split("\0").slice(0, -1), command).toEqual(words);
  }
});
