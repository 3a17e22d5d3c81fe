import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { forLoopback, type Issued, makeAuthority } from "../../../test/support/authority.ts";
import type { TlsMaterial } from "../../config/index.ts";
import type { Log } from "../../foundation/log.ts";
import { keepTls } from "./keeper.ts";

const root = mkdtempSync(join(tmpdir(), "remit-keeper-"));
afterAll(() => rmSync(root, { recursive: true }));
const authority = makeAuthority();
let folders = 0;

/** A volume as Kubernetes makes one: files link into `..data`, which links to the version that is in force. */
function volume() {
  const folder = join(root, `volume-${folders++}`);
  mkdirSync(folder);
  let version = 0;
  const swap = (files: Readonly<Record<string, string>>) => {
    const name = `..version-${version++}`;
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
    symlinkSync(name, join(folder, "..new"));
    renameSync(join(folder, "..new"), join(folder, "..data"));
  };
  for (const file of ["tls.crt", "tls.key", "ca.crt"]) symlinkSync(join("..data", file), join(folder, file));
  const files = {
    certificate: join(folder, "tls.crt"),
    key: join(folder, "tls.key"),
    clientTrust: join(folder, "ca.crt"),
  };
  return { files, swap };
}

const secret = ({ certificate, key }: Issued, trust = authority.certificate) => ({
  ...{ "tls.crt": certificate, "tls.key": key, "ca.crt": trust },
});

function keep(more: { untilMs?: number } = {}) {
  const { files, swap } = volume();
  const first = authority.issue({ ...forLoopback, ...more });
  swap(secret(first));
  const told: string[] = [];
  const say = (_: Record<string, unknown>, message: string) => void told.push(message);
  const log: Log = { info: say, warn: say, error: say };
  const keeper = keepTls({ files, log, readEveryMs: 3_600_000 });
  const used: string[] = [];
  const listener = { accept: () => {}, use: vi.fn((next: TlsMaterial) => void used.push(String(next.certificate))) };
  keeper.add(listener);
  return { keeper, swap, first, told, used, listener };
}

test("a volume that is swapped is taken up as a whole, once", () => {
  const { keeper, swap, used, told } = keep();
  keeper.reload();
  expect(used).toEqual([]);
  const second = authority.issue(forLoopback);
  swap(secret(second));
  keeper.reload();
  keeper.reload();
  expect(used).toEqual([second.certificate]);
  expect(told).toEqual(["certificate files were read anew and are in force"]);
  expect(String(keeper.material().certificate)).toBe(second.certificate);
  keeper.close();
});

test.each<[string, (first: Issued) => Record<string, string>, string]>([
  ["the key is another's", (first) => ({ ...secret(first), "tls.key": authority.issue({}).key }), "not the key"],
  ["the bundle is garbage", (first) => secret(first, "hello"), "no certificate"],
  ["a file is missing", ({ certificate, key }) => ({ "tls.crt": certificate, "tls.key": key }), "no such file"],
  ["the certificate has run out", () => secret(authority.issue({ fromMs: 0, untilMs: 1_000 })), "ran out"],
])("when %s the old ones stay in force, it is told once, and it heals", (_, broken, said) => {
  const { keeper, swap, first, used, told } = keep();
  swap(broken(first));
  keeper.reload();
  keeper.reload();
  expect([keeper.intact(), used, told.length]).toEqual([false, [], 1]);
  expect(keeper.notes().join()).toContain(said);
  expect(String(keeper.material().certificate)).toBe(first.certificate);
  swap(secret(first));
  keeper.reload();
  expect([keeper.intact(), keeper.notes(), used]).toEqual([true, [], []]);
  keeper.close();
});

test("what one listener does not take none keeps", () => {
  const { keeper, swap, first, used, listener } = keep();
  const picky = {
    accept: () => {},
    use: vi.fn((next: TlsMaterial) => {
      if (String(next.certificate) !== first.certificate) throw new Error("ee key too small");
    }),
  };
  keeper.add(picky);
  swap(secret(authority.issue(forLoopback)));
  keeper.reload();
  expect(listener.use).toHaveBeenCalledTimes(2);
  expect(used.at(-1)).toBe(first.certificate);
  expect(keeper.notes().join()).toContain("ee key too small");
  keeper.close();
});

test("a certificate that runs out in minutes is an operator's business", () => {
  const { keeper } = keep({ untilMs: Date.now() + 300_000 });
  expect(keeper.notes().join()).toContain("runs out at");
  expect(keeper.secondsLeft()).toBeGreaterThan(250);
  keeper.close();
});

test("nothing starts without files that fit", () => {
  const { files, swap } = volume();
  swap(secret(authority.issue(forLoopback), "hello"));
  const log: Log = { info: () => {}, warn: () => {}, error: () => {} };
  expect(() => keepTls({ files, log })).toThrow("no certificate");
});
