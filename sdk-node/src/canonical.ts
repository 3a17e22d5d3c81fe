// Nesting that the service accepts in input, context and answers.
const depthMax = 32;

/** Why a value cannot be sent as JSON. `path` leads to the place: `.items[3].amount`. */
export class NotJson extends Error {
  readonly path: string;
  readonly what: "number_out_of_range" | "request_invalid";

  constructor(what: NotJson["what"], path: string, message: string) {
    super(message);
    this.name = "NotJson";
    this.what = what;
    this.path = path;
  }
}

function refuse(message: string): never {
  throw new NotJson("request_invalid", "", message);
}

// The path grows as the error travels outward, so that it costs nothing while all is well.
function below(error: unknown, key: string | number): never {
  if (!(error instanceof NotJson)) throw error;
  const step =
    typeof key === "number" ? `[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  throw new NotJson(error.what, step + error.path, error.message);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new NotJson("number_out_of_range", "", "is not a finite number");
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new NotJson("number_out_of_range", "", "is an integer beyond ±(2^53−1): send it as a decimal string");
  }
  // ECMAScript's own shortest form is the one that RFC 8785 asks for, but for the sign of zero.
  return Object.is(value, -0) ? "0" : `${value}`;
}

function writeText(value: string): string {
  return value.isWellFormed() ? JSON.stringify(value) : refuse("holds a lone surrogate");
}

function writeList(list: readonly unknown[], depth: number): string {
  const parts: string[] = [];
  for (let index = 0; index < list.length; index++) {
    try {
      parts.push(write(list[index], depth + 1));
    } catch (error) {
      below(error, index);
    }
  }
  return `[${parts.join(",")}]`;
}

function writeObject(object: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  // A Date or a Map would silently become {}: what is decided must be what the tool gets.
  if (prototype !== Object.prototype && prototype !== null) {
    refuse(`is a ${(object.constructor as { name?: string } | undefined)?.name || "class instance"}, not plain JSON`);
  }
  const parts: string[] = [];
  // Sorted by UTF-16 code units: the order of RFC 8785 and of Array.prototype.sort.
  for (const key of Object.keys(object).sort()) {
    const value = (object as Record<string, unknown>)[key];
    if (value === undefined) continue;
    try {
      parts.push(`${writeText(key)}:${write(value, depth + 1)}`);
    } catch (error) {
      below(error, key);
    }
  }
  return `{${parts.join(",")}}`;
}

function write(value: unknown, depth: number): string {
  if (value === null) return "null";
  if (typeof value === "string") return writeText(value);
  if (typeof value === "number") return writeNumber(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value !== "object") return refuse(`is ${typeof value}, which JSON does not have`);
  if (depth > depthMax) refuse(`is nested deeper than ${depthMax} levels`);
  return Array.isArray(value) ? writeList(value, depth) : writeObject(value, depth);
}

/**
 * The canonical JSON (RFC 8785) of a plain value; undefined members are left out. Throws `NotJson` for what two readers
 * could read differently or that JSON has no word for: NaN, integers beyond ±(2^53−1), lone surrogates, dates, maps,
 * class instances, functions, nesting deeper than 32 levels.
 */
export function canonical(value: unknown): string {
  return write(value, 1);
}
