import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { scripts: Record<string, string> };

/** What `npm run` runs of our own, as Node is given it. */
const programs = Object.entries(scripts).flatMap(([name, command]) => {
  const [, args] = command.match(/exec node (\S.*main\.ts|\S.*-cycles\.ts|\S.*keep\.ts)$/) ?? [];
  return args === undefined ? [] : [[name, args.split(" ")] as const];
});
const ran = (args: readonly string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

describe("the programs for developers", () => {
  it("are found", () => {
    expect(programs.map(([name]) => name)).toEqual(
      expect.arrayContaining(["demo", "differential", "bench:hold", "faults"]),
    );
  });

  it.each(programs)("%s says what it can do", (_name, args) => {
    const { status, stdout, stderr } = ran([...args, "--help"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("npm run");
  });

  it.each(programs)("%s says that it does not know an option", (_name, args) => {
    const { status, stderr } = ran([...args, "--no-such-thing"]);
    expect(status).toBe(2);
    expect(stderr).toContain("--no-such-thing");
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
