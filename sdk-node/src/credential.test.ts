import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCredential, type TokenSource } from "./credential.ts";

const time = { ms: 1_000_000 };
const timers = { wallMs: () => time.ms, monotonicMs: () => time.ms, after: () => () => undefined };
const jwt = (name: string, endMs: number) =>
  `e30.${Buffer.from(JSON.stringify({ name, exp: endMs / 1000 })).toString("base64url")}.c2ln`;

function counted(answer: (times: number) => string) {
  const asked = { times: 0 };
  const source: TokenSource = async () => answer(++asked.times);
  return { asked, credential: createCredential("", source, timers) };
}

test("a key is a header for ever, and no key is none", () => {
  expect(createCredential("rmt_k", undefined, timers).header()).toBe("Bearer rmt_k");
  expect(createCredential("", undefined, timers).header()).toBeUndefined();
  expect(createCredential("rmt_k", undefined, timers).refused("Bearer rmt_k")).toBe(false);
});

test("a token is fetched once for all who ask, and again before it ends", async () => {
  const { asked, credential } = counted((times) => jwt(`t${times}`, time.ms + 600_000));
  const both = await Promise.all([credential.header(), credential.header()]);
  expect(new Set(both).size).toBe(1);
  expect(credential.header()).toBe(both[0]);
  expect(credential.leftMs()).toBe(570_000);
  time.ms += 569_000;
  expect(credential.header()).toBe(both[0]);
  time.ms += 2_000;
  expect(await credential.header()).not.toBe(both[0]);
  expect(asked.times).toBe(2);
});

test("one that was refused is fetched anew, and no more than once in a second", async () => {
  const { asked, credential } = counted((times) => `opaque-${times}`);
  expect(await credential.header()).toBe("Bearer opaque-1");
  time.ms += 5_000;
  expect(credential.refused("Bearer opaque-1")).toBe(true);
  expect(await credential.header()).toBe("Bearer opaque-2");
  expect(credential.refused("Bearer opaque-2")).toBe(false);
  expect(credential.header()).toBe("Bearer opaque-2");
  expect(asked.times).toBe(2);
});

test("calls that were refused together for one token all go by the next, however late they hear of it", async () => {
  const { asked, credential } = counted((times) => `opaque-${times}`);
  const old = await credential.header();
  expect([credential.refused(old), credential.refused(old)]).toEqual([true, true]);
  const both = await Promise.all([credential.header(), credential.header()]);
  expect(both).toEqual(["Bearer opaque-2", "Bearer opaque-2"]);
  // One that hears of it when the next token is there already goes by that, and has nothing fetched.
  expect(credential.refused(old)).toBe(true);
  time.ms += 5_000;
  expect(credential.refused(old)).toBe(true);
  expect(credential.header()).toBe("Bearer opaque-2");
  expect(asked.times).toBe(2);
});

test("while its source is away the token that is held goes on until its end, then nobody asks", async () => {
  const endMs = time.ms + 100_000;
  const { credential } = counted((times) => {
    if (times > 1) throw new Error("away");
    return jwt("first", endMs);
  });
  const first = await credential.header();
  time.ms = endMs - 1_000;
  expect(await credential.header()).toBe(first);
  time.ms = endMs;
  await expect(credential.header()).rejects.toMatchObject({ reason: "transport", retryable: true });
});

test("a file is read again when its token is about to end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "remit-sdk-token-"));
  const file = join(folder, "token");
  const endMs = time.ms + 60_000;
  writeFileSync(file, `${jwt("first", endMs)}\n`);
  const credential = createCredential("", { file }, timers);
  expect(await credential.header()).toBe(`Bearer ${jwt("first", endMs)}`);
  writeFileSync(file, jwt("second", endMs + 60_000));
  time.ms = endMs - 1_000;
  expect(await credential.header()).toBe(`Bearer ${jwt("second", endMs + 60_000)}`);
  rmSync(folder, { recursive: true });
});
