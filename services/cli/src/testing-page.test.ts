import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { fakeIo } from "./fake-io.ts";
import { run } from "./run.ts";

const page = await readFile(new URL("../../../docs/testing-policies.md", import.meta.url), "utf8");

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text = ""]) => text);
}

/** Words of a command line, of which some stand in single quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

test("every command of docs/testing-policies.md prints what the page shows, on the files that it shows", async () => {
  const directory = await mkdtemp(join(tmpdir(), "remit-page-"));
  for (const text of blocks("yaml")) {
    const [, name = ""] = /^# (\S+)/.exec(text) ?? [];
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  const shown = blocks("console").flatMap((block) => block.split(/^\$ /m).slice(1));
  expect(shown.length).toBeGreaterThan(4);
  for (const one of shown) {
    const [line = "", ...expected] = one.trimEnd().split("\n");
    const io = fakeIo({});
    const args = words(line).map((word) =>
      /^(policies|wrong|next|spending)\//.test(word) ? join(directory, word) : word,
    );
    await run(io, args.slice(1));
    // What compiling took is another time and amount each run.
    const lasting = [...io.outLines, ...io.errLines].filter((text) => !text.startsWith("compiled in "));
    const said = lasting.join("\n").replaceAll(`${directory}/`, "");
    expect(said.split("\n"), line).toEqual(expected);
  }
});
