import { pino } from "pino";
import type { Log } from "../foundation/log.ts";

type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LogOptions {
  readonly level: LogLevel;
  /** `json` for machines; `pretty` for a person at a terminal. */
  readonly format: "json" | "pretty";
  /** Colours the pretty form. */
  readonly colour?: boolean;
  /** Takes whole lines, line break included. */
  readonly write: (line: string) => void;
}

type Scalar = string | number | boolean | null;
type Field = Scalar | Scalar[] | { name: string; message: string; code?: string };

const STRING_CHARS_MAX = 300;
const LIST_ITEMS_MAX = 16;
// Whole words of a camelCase name: `key` and `apiKey`, but not `keyword`.
const SECRET_NAME = /^(?:.*(?:Key|Token|Secret|Password)|key|token|secret|password|authorization|permit|cookie)$/;
const PRIVATE_NAME = /^(?:input|context|answers|body|facts|output|canonical|params|parameters)$/;
const SECRET_TEXT = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\brmt_[\w-]{16,}|\bBearer\s+\S+/g;
const CREDENTIALS = /(\w+:\/\/)[^\s/@]+@/g;

function safeText(text: string): string {
  const clean = text.replace(SECRET_TEXT, "[secret]").replace(CREDENTIALS, "$1[secret]@");
  return clean.length <= STRING_CHARS_MAX ? clean : `${clean.slice(0, STRING_CHARS_MAX)}…`;
}

function scalar(value: unknown): Scalar | undefined {
  if (typeof value === "string") return safeText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return undefined;
}

/** What of an error is logged: never its other fields, in which a driver repeats the values of a row. */
function safeError(error: Error): { name: string; message: string; code?: string } {
  const code = (error as { code?: unknown }).code;
  const known = typeof code === "string" || typeof code === "number" ? { code: String(code) } : {};
  return { name: error.name, message: safeText(error.message), ...known };
}

function safeField(name: string, value: unknown): Field {
  if (SECRET_NAME.test(name)) return "[secret]";
  if (PRIVATE_NAME.test(name)) return "[not logged]";
  if (value instanceof Error) return safeError(value);
  if (Array.isArray(value)) return value.slice(0, LIST_ITEMS_MAX).map((item) => scalar(item) ?? "[not logged]");
  return scalar(value) ?? "[not logged]";
}

/** A line can hold scalars, short lists of them and errors; nothing with a structure in which a call could hide. */
function safeFields(fields: Record<string, unknown>): Record<string, Field> {
  const safe: Record<string, Field> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) safe[name] = safeField(name, value);
  }
  return safe;
}

const COLOURS: Readonly<Record<string, string>> = { debug: "\x1b[2m", info: "", warn: "\x1b[33m", error: "\x1b[31m" };

function prettyField([name, value]: [string, Field]): string {
  if (typeof value === "string") return `${name}=${/^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `${name}=${JSON.stringify(value)}`;
  return `${name}=${JSON.stringify(value.code === undefined ? value.message : `${value.message} (${value.code})`)}`;
}

/** One line of JSON as a person reads it: time, level, message, fields. */
function pretty(line: string, colour: boolean): string {
  const { time, level, message, ...fields } = JSON.parse(line) as Record<string, Field>;
  const text = [
    String(time).slice(11, 23),
    String(level).padEnd(5),
    String(message),
    ...Object.entries(fields).map(prettyField),
  ].join("  ");
  const paint = colour ? (COLOURS[String(level)] ?? "") : "";
  return paint === "" ? `${text}\n` : `${paint}${text}\x1b[0m\n`;
}

/** A structured log. What a line may hold is decided here and not by whoever writes to it. */
export function createLog(options: LogOptions): Log {
  const write =
    options.format === "json" ? options.write : (line: string) => options.write(pretty(line, options.colour === true));
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return {
    info: (fields, message) => logger.info(safeFields(fields), safeText(message)),
    warn: (fields, message) => logger.warn(safeFields(fields), safeText(message)),
    error: (fields, message) => logger.error(safeFields(fields), safeText(message)),
  };
}
