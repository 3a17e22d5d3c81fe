import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { amounts, collect, jsonBytes, pairs, seconds } from "./arguments.ts";
import { fakeIo } from "./fake-io.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("an option that is given several times is gathered in order", () => {
  expect(collect("b", collect("a"))).toEqual(["a", "b"]);
});

test("name=value becomes a record, and only the first = separates", () => {
  expect(pairs(["team=finance", "query=a=b"], "--label")).toEqual({ team: "finance", query: "a=b" });
  expect(pairs(undefined, "--label")).toEqual({});
  expect(() => pairs(["team"], "--label")).toThrow('--label takes name=value, got "team"');
});

test("amounts keep their digits as text", () => {
  expect(amounts(["EUR=12.50"], "--estimate")).toEqual([{ unit: "EUR", value: "12.50" }]);
  expect(() => amounts(["12.50"], "--estimate")).toThrow("--estimate takes UNIT=DECIMAL");
});

test("JSON comes from the argument, a file or standard input, byte for byte", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "remit-cli-")), "input.json");
  await writeFile(file, '{"big": 12345678901234567890}');
  const io = fakeIo({ stdin: '{"from": "stdin"}' });
  expect(text(await jsonBytes(io, '{ "a": 1 }', "--input"))).toBe('{ "a": 1 }');
  expect(text(await jsonBytes(io, `@${file}`, "--input"))).toBe('{"big": 12345678901234567890}');
  expect(text(await jsonBytes(io, "-", "--input"))).toBe('{"from": "stdin"}');
});

test.each(["{", "[1]", '"text"', "null", "@/nowhere/input.json"])("%s is not a JSON object", async (value) => {
  await expect(jsonBytes(fakeIo(), value, "--input")).rejects.toMatchObject({ name: "Stop", code: 2 });
});

test.each([
  ["90s", 90],
  ["15m", 900],
  ["24h", 86_400],
  ["30d", 2_592_000],
])("%s is %d seconds", (written, value) => {
  expect(seconds(written, "--lifetime")).toBe(value);
});

test.each(["", "90", "-1s", "1.5h", "0s", "1w"])("%j is not a duration", (written) => {
  expect(() => seconds(written, "--lifetime")).toThrow("--lifetime takes a duration");
});
