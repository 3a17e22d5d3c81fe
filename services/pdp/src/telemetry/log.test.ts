import { expect, test } from "vitest";
import { createLog, type LogOptions } from "./log.ts";

function logging(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(line), ...options });
  return { log, lines, only: () => JSON.parse(lines[0] ?? "null") as Record<string, unknown> };
}

test("a line is JSON with a time, a level, a message and its fields", () => {
  const { log, lines, only } = logging();
  log.info({ address: "127.0.0.1:7080", epoch: 12n, ready: true }, "listening");
  expect(lines[0]?.endsWith("\n")).toBe(true);
  expect(only()).toMatchObject({
    level: "info",
    message: "listening",
    address: "127.0.0.1:7080",
    epoch: "12",
    ready: true,
  });
  expect(String(only().time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("lines below the level are not written", () => {
  const { log, lines } = logging({ level: "warn" });
  log.info({}, "quiet");
  log.warn({}, "heard");
  log.error({}, "heard too");
  expect(lines).toHaveLength(2);
  const silent = logging({ level: "silent" });
  silent.log.error({}, "never");
  expect(silent.lines).toEqual([]);
});

test.each(["key", "apiKey", "token", "sessionToken", "authorization", "password", "permit", "clientSecret"])(
  "a field called %s is never written",
  (name) => {
    const { log, lines } = logging();
    log.info({ [name]: "hunter2" }, "m");
    expect(lines[0]).toContain(`"${name}":"[secret]"`);
    expect(lines[0]).not.toContain("hunter2");
  },
);

test.each(["input", "context", "answers", "body", "output"])("what a call carries as %s is never written", (name) => {
  const { log, lines } = logging();
  log.info({ [name]: "card 4242" }, "m");
  expect(lines[0]).not.toContain("4242");
});

test("a structure is not written, whatever its name", () => {
  const { log, lines } = logging();
  log.info({ request: { input: { card: "4242" } }, list: [1, { card: "4242" }] }, "m");
  expect(lines[0]).not.toContain("4242");
});

test("tokens, keys and credentials inside texts are masked", () => {
  const { log, lines } = logging();
  const jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
  log.warn({ why: `bad ${jwt}`, url: "postgres://remit:hunter2@db/remit" }, `Bearer abc123 and rmt_0123456789abcdef01`);
  expect(lines[0]).not.toContain("eyJzdWIi");
  expect(lines[0]).not.toContain("hunter2");
  expect(lines[0]).not.toContain("abc123");
  expect(lines[0]).not.toContain("0123456789abcdef01");
  expect(lines[0]).toContain("postgres://[secret]@db/remit");
});

test("of an error its name, message and code are written, and nothing of the row it repeats", () => {
  const { log, only, lines } = logging();
  log.error({ error: Object.assign(new Error("broken"), { code: "23505", detail: "Key (card)=(4242)" }) }, "failed");
  expect(only().error).toEqual({ name: "Error", message: "broken", code: "23505" });
  expect(lines[0]).not.toContain("4242");
});

test("a long text is cut and a long list shortened", () => {
  const { log, only } = logging();
  log.info({ text: "x".repeat(5000), list: Array.from({ length: 100 }, (_, at) => at) }, "m");
  expect(String(only().text).length).toBeLessThan(310);
  expect(only().list).toHaveLength(16);
});

test("an absent field leaves no trace", () => {
  const { log, only } = logging();
  log.info({ missing: undefined }, "m");
  expect(Object.keys(only())).not.toContain("missing");
});

test("at a terminal a line reads as time, level, message and fields", () => {
  const { log, lines } = logging({ format: "pretty" });
  log.info({ address: "127.0.0.1:7080", note: "two words", rows: 3 }, "listening");
  log.error({ error: Object.assign(new Error("gone"), { code: "ECONNRESET" }) }, "lost the store");
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} {2}info {3}listening {2}address=127\.0\.0\.1:7080 {2}note="two words" {2}rows=3\n$/,
  );
  expect(lines[1]).toContain('lost the store  error="gone (ECONNRESET)"');
});

test("colour is used only where it was asked for", () => {
  const plain = logging({ format: "pretty" });
  plain.log.error({}, "m");
  const coloured = logging({ format: "pretty", colour: true });
  coloured.log.error({}, "m");
  expect(plain.lines[0]).not.toContain("\x1b[");
  expect(coloured.lines[0]).toContain("\x1b[31m");
});
