import { expect, it } from "vitest";
import { commandWords } from "./command-words.ts";

it.each([
  ["npx -y  server /tmp", ["npx", "-y", "server", "/tmp"]],
  [`node 'my server.js' "a \\"b\\"" c\\ d ""`, ["node", "my server.js", 'a "b"', "c d", ""]],
  ["a'b'\"c\"", ["abc"]],
  ["a; rm -rf $HOME | b", ["a;", "rm", "-rf", "$HOME", "|", "b"]],
])("%s comes apart as a shell would take it apart, and nothing is run by one", (line, words) => {
  expect(commandWords(line)).toEqual(words);
});

it.each([
  ["a 'b", "not closed"],
  ["  ", "empty"],
])("%j is told to be wrong", (line, message) => {
  expect(() => commandWords(line)).toThrow(message);
});
