import { expect, test } from "vitest";
import { formatConfigProblems, loadConfig } from "./index.ts";
import type { ConfigSources } from "./load.ts";
import { Secret } from "./secret.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
const URL = "postgres://remit:hunter2@db.internal/remit";

function loaded(sources: Partial<ConfigSources>) {
  const result = loadConfig({ env: {}, ...sources });
  if (!result.ok) throw new Error(formatConfigProblems(result.problems));
  return result.config;
}

function problems(sources: Partial<ConfigSources>) {
  const result = loadConfig({ env: {}, ...sources });
  return result.ok ? [] : result.problems;
}

const yaml = (text: string) => ({ path: "remit.yaml", text });

test("nothing set is development on loopback, with an embedded Postgres", () => {
  const config = loaded({});
  expect(config.mode).toBe("development");
  expect(config.httpAddress).toEqual({ host: "127.0.0.1", port: 7080 });
  expect(config.metricsAddress).toEqual({ host: "127.0.0.1", port: 7083 });
  expect(config.databaseUrl).toBeUndefined();
  expect(config.dataDir).toBe("./.remit");
  expect(config.writers).toBe(2);
});

test("the file overrides defaults, the environment the file, the command line all", () => {
  const file = yaml("writers: 3\npollMs: 200\nlogLevel: warn\n");
  const config = loaded({
    file,
    env: { REMIT_POLL_MS: "300", REMIT_LOG_LEVEL: "error" },
    overrides: { logLevel: "debug" },
  });
  expect([config.writers, config.pollMs, config.logLevel]).toEqual([3, 300, "debug"]);
});

test("port 0 and IPv6 are legal addresses", () => {
  const config = loaded({ env: { REMIT_HTTP_ADDRESS: "127.0.0.1:0", REMIT_GRPC_ADDRESS: "[::1]:7" } });
  expect(config.httpAddress.port).toBe(0);
  expect(config.grpcAddress).toEqual({ host: "::1", port: 7 });
});

test("a mistyped key, and a mistyped variable, is an error with the nearest name and its place", () => {
  const found = problems({
    file: yaml("# ours\nwriter: 3\n"),
    env: { REMIT_GRPC_ADRESS: "x", REMIT_WHATEVER_ELSE: "" },
  });
  expect(found.map((problem) => [problem.name, problem.place])).toEqual([
    ["writer", "remit.yaml:2"],
    ["REMIT_GRPC_ADRESS", "environment"],
    ["REMIT_WHATEVER_ELSE", "environment"],
  ]);
  expect(found[0]?.message).toContain("did you mean writers?");
  expect(found[1]?.message).toContain("did you mean REMIT_GRPC_ADDRESS?");
  expect(found[2]?.message).not.toContain("did you mean");
});

test("the command's own variables are no settings and no mistakes", () => {
  expect(problems({ env: { REMIT_API_KEY: "k", REMIT_SESSION: "s", REMIT_ADDRESS: "a", REMIT_CONFIG: "c" } })).toEqual(
    [],
  );
});

test.each([
  ["REMIT_WRITERS", "many"],
  ["REMIT_WRITERS", "0"],
  ["REMIT_WRITERS", "17"],
  ["REMIT_WRITERS", "1.5"],
  ["REMIT_WRITERS", ""],
  ["REMIT_POLL_MS", "-1"],
  ["REMIT_HTTP_ADDRESS", "7080"],
  ["REMIT_HTTP_ADDRESS", ":7080"],
  ["REMIT_HTTP_ADDRESS", "127.0.0.1:65536"],
  ["REMIT_HTTP_ADDRESS", "http://127.0.0.1:7080"],
  ["REMIT_MODE", "prod"],
  ["REMIT_TRANSPORT", "Insecure"],
  ["REMIT_TRANSPORT", "https"],
  ["REMIT_DATA_DIR", ""],
])("%s=%s is refused, with its value and what was expected", (name, value) => {
  const [problem, ...rest] = problems({ env: { [name]: value } });
  expect(rest).toEqual([]);
  expect(problem).toMatchObject({ name, value: JSON.stringify(value) });
  expect(problem?.expected).not.toBe("");
});

test("values of the wrong type in the file are refused", () => {
  const found = problems({ file: yaml("writers: true\nhttpAddress: 7080\npollMs: [1]\nlogLevel: { a: 1 }\n") });
  expect(found.map((problem) => problem.name).sort()).toEqual(["httpAddress", "logLevel", "pollMs", "writers"]);
});

test("all problems are reported at once, each with its fix", () => {
  const found = problems({
    file: yaml("writer: 3\n"),
    env: { REMIT_POLL_MS: "soon", REMIT_HTTP_ADDRESS: "0.0.0.0:7080", REMIT_MODE: "production" },
  });
  const text = formatConfigProblems(found);
  expect(found).toHaveLength(5);
  expect(text).toContain("5 problems");
  for (const problem of found) {
    expect(text).toContain(problem.name);
    expect(text).toContain(`fix: ${problem.fix}`);
  }
});

test.each(["writers: 1\nwriters: 2\n", "writers: [", "- writers\n", "just words"])(
  "a broken file is an error: %j",
  (text) => {
    const found = problems({ file: yaml(text) });
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]?.place).toContain("remit.yaml");
  },
);

test("an empty file is no problem", () => {
  expect(problems({ file: yaml("# nothing yet\n") })).toEqual([]);
});

test("an address beyond loopback needs a word about the transport", () => {
  const env = { REMIT_GRPC_ADDRESS: "0.0.0.0:7081" };
  expect(problems({ env })).toMatchObject([{ name: "REMIT_GRPC_ADDRESS", value: "0.0.0.0:7081" }]);
  expect(problems({ env: { ...env, REMIT_TRANSPORT: "insecure" } })).toEqual([]);
});

test("a database of yours means production, which has no default for its key", () => {
  expect(problems({ env: { REMIT_DATABASE_URL: URL } })).toMatchObject([
    { name: "REMIT_KEY_ENCRYPTION_KEY", place: "missing" },
  ]);
  const config = loaded({ env: { REMIT_DATABASE_URL: URL, REMIT_KEY_ENCRYPTION_KEY: KEY } });
  expect(config.mode).toBe("production");
  expect(config.databaseUrl?.reveal()).toBe(URL);
  expect(config.keyEncryptionKey?.reveal()).toEqual(new Uint8Array(32).fill(7));
});

test("a database of yours in development needs no key", () => {
  expect(loaded({ env: { REMIT_DATABASE_URL: URL, REMIT_MODE: "development" } }).mode).toBe("development");
});

test("production never runs on the embedded Postgres", () => {
  const found = problems({ env: { REMIT_MODE: "production", REMIT_KEY_ENCRYPTION_KEY: KEY } });
  expect(found).toMatchObject([{ name: "REMIT_DATABASE_URL", place: "missing" }]);
});

test("migrating asks for no key and no transport", () => {
  const env = { REMIT_MIGRATION_URL: URL, REMIT_DATABASE_URL: URL, REMIT_HTTP_ADDRESS: "0.0.0.0:1" };
  expect(loaded({ env, purpose: "migrate" }).migrationUrl?.reveal()).toBe(URL);
});

test.each([
  ["REMIT_DATABASE_URL", "mysql://remit:hunter2@db/remit"],
  ["REMIT_MIGRATION_URL", "hunter2"],
  ["REMIT_KEY_ENCRYPTION_KEY", "aHVudGVyMg=="],
])("a wrong %s is refused once and not repeated", (name, value) => {
  const found = problems({
    env: { REMIT_MODE: "development", [name]: value },
  });
  const text = formatConfigProblems(found);
  expect(found.filter((problem) => problem.name === name)).toHaveLength(1);
  expect(text).not.toContain("hunter2");
  expect(text).not.toContain(value);
});

test("a wrong secret is not also called missing", () => {
  const env = { REMIT_DATABASE_URL: URL, REMIT_KEY_ENCRYPTION_KEY: "short" };
  expect(problems({ env })).toMatchObject([{ name: "REMIT_KEY_ENCRYPTION_KEY", place: "environment" }]);
});

test("secrets of a loaded configuration do not print", () => {
  const config = loaded({ env: { REMIT_DATABASE_URL: URL, REMIT_KEY_ENCRYPTION_KEY: KEY } });
  expect(JSON.stringify(config)).not.toContain("hunter2");
  expect(`${config.databaseUrl}`).toBe("[secret]");
  expect(config.databaseUrl).toBeInstanceOf(Secret);
});
