import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { nearest } from "./nearest.ts";
import type { ConfigProblem, Setting, Settings } from "./problems.ts";
import { type Config, type ConfigInput, type ConfigKey, commandVariables, knobs, variableOf } from "./schema.ts";
import { checkTransport } from "./transport.ts";

export interface ConfigSources {
  /** The environment; variables without our prefix are not looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `remit.yaml`, read by the caller. */
  readonly file?: { readonly path: string; readonly text: string };
  /** What the command line says: over everything else. */
  readonly overrides?: ConfigInput;
  /** `migrate` needs nothing but an address and the right to change tables: values are checked, their combination is not. */
  readonly purpose?: "serve" | "migrate";
}

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

const keys = Object.keys(knobs) as ConfigKey[];
const keyOfVariable = new Map(keys.map((key) => [variableOf(key), key]));

function isKey(name: string): name is ConfigKey {
  return Object.hasOwn(knobs, name);
}

function unknownName(name: string, place: string, names: Iterable<string>): ConfigProblem {
  const near = nearest(name, names);
  return {
    name,
    place,
    message: near === undefined ? "there is no such setting" : `there is no such setting; did you mean ${near}?`,
    fix: near === undefined ? "remove it" : `write ${near}, or remove it`,
  };
}

function readFile(file: { path: string; text: string }, settings: Settings, problems: ConfigProblem[]): void {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, uniqueKeys: true });
  for (const error of document.errors) {
    const place = `${file.path}:${lines.linePos(error.pos[0]).line}`;
    const message = error.message.split("\n")[0] ?? error.message;
    problems.push({ name: file.path, place, message, fix: "write one `key: value` a line, every key once" });
  }
  const contents = document.contents;
  if (document.errors.length > 0 || contents === null) return;
  if (!isMap(contents)) {
    const message = "the file must be a mapping of keys to values";
    problems.push({ name: file.path, place: file.path, message, fix: "write one `key: value` a line" });
    return;
  }
  for (const pair of contents.items) {
    if (!isScalar(pair.key)) continue;
    const name = String(pair.key.value);
    const place = `${file.path}:${lines.linePos(pair.key.range?.[0] ?? 0).line}`;
    const value: unknown = isScalar(pair.value) ? pair.value.value : document.toJS()[name];
    if (isKey(name)) settings.set(name, { name, place, value });
    else problems.push(unknownName(name, place, keys));
  }
}

function readEnvironment(env: ConfigSources["env"], settings: Settings, problems: ConfigProblem[]): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !name.startsWith("REMIT_") || Object.hasOwn(commandVariables, name)) continue;
    const key = keyOfVariable.get(name);
    if (key !== undefined) settings.set(key, { name, place: "environment", value });
    else problems.push(unknownName(name, "environment", [...keyOfVariable.keys(), ...Object.keys(commandVariables)]));
  }
}

function readOverrides(overrides: ConfigInput, settings: Settings, problems: ConfigProblem[]): void {
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (isKey(name)) settings.set(name, { name, place: "command line", value });
    else problems.push(unknownName(name, "command line", keys));
  }
}

/** One value, or a problem. What is absent and has a default is read from the default. */
function readValue(key: ConfigKey, setting: Setting | undefined, problems: ConfigProblem[]): unknown {
  const knob: { default?: string; secret?: boolean; expected: string; example: string } = knobs[key];
  const written = setting?.value ?? knob.default;
  if (written === undefined) return undefined;
  const read = knobs[key].schema.safeParse(written);
  if (read.success) return read.data;
  const name = setting?.name ?? key;
  problems.push({
    name,
    place: setting?.place ?? "default",
    ...(knob.secret ? {} : { value: JSON.stringify(written) }),
    message: knob.secret
      ? "the value is not right (it is not shown here, since it is a secret)"
      : "the value is not right",
    expected: knob.expected,
    fix: name.startsWith("REMIT_") ? `${name}=${knob.example}` : `${name}: ${knob.example}`,
  });
  return undefined;
}

function checkStore(config: Config): ConfigProblem[] {
  if (config.mode !== "production") return [];
  const problems: ConfigProblem[] = [];
  if (config.databaseUrl === undefined) {
    problems.push({
      name: "REMIT_DATABASE_URL",
      place: "missing",
      message: "in production the service records in a Postgres of yours; the embedded one is for development",
      expected: knobs.databaseUrl.expected,
      fix: `REMIT_DATABASE_URL=${knobs.databaseUrl.example}, or mode development`,
    });
  }
  if (config.keyEncryptionKey === undefined) {
    problems.push({
      name: "REMIT_KEY_ENCRYPTION_KEY",
      place: "missing",
      message: "in production the key that wraps the stored keys has no default",
      expected: knobs.keyEncryptionKey.expected,
      fix: `REMIT_KEY_ENCRYPTION_KEY=${knobs.keyEncryptionKey.example}, kept and given again at every start`,
    });
  }
  return problems;
}

/**
 * Defaults, under `remit.yaml`, under REMIT_*, under the command line. Answers the configuration, or every problem at
 * once: unknown keys and variables, wrong values, and values that do not fit together.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const settings: Settings = new Map();
  if (sources.file !== undefined) readFile(sources.file, settings, problems);
  readEnvironment(sources.env, settings, problems);
  readOverrides(sources.overrides ?? {}, settings, problems);

  const broken = new Set<ConfigKey>();
  const values: Partial<Record<ConfigKey, unknown>> = {};
  for (const key of keys) {
    const before = problems.length;
    values[key] = readValue(key, settings.get(key), problems);
    if (problems.length > before) broken.add(key);
  }
  values.mode ??= values.databaseUrl === undefined ? "development" : "production";
  const config = values as unknown as Config;
  // What is wrong already is not reported a second time as missing.
  const blamed = (problem: ConfigProblem) => !keys.some((key) => broken.has(key) && variableOf(key) === problem.name);
  if (sources.purpose !== "migrate") {
    problems.push(...[...checkTransport(config, settings), ...checkStore(config)].filter(blamed));
  }
  return problems.length === 0 ? { ok: true, config: Object.freeze(config) } : { ok: false, problems };
}
