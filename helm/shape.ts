/** A JSON schema of draft 7, as far as values of a chart need one. */
export type Schema = { readonly [key: string]: unknown };

/** One value that who installs the chart may set. */
export interface Value {
  /** With dots: `image.repository`. */
  readonly path: string;
  readonly doc: string;
  readonly default: unknown;
  readonly schema: Schema;
}

export const text: Schema = { type: "string" };
export const flag: Schema = { type: "boolean" };

/** Text that may be left empty, else has to look like this. */
export function textLike(pattern: string): Schema {
  return { type: "string", pattern: `^$|${pattern}` };
}

export function choice(...words: readonly string[]): Schema {
  return { type: "string", enum: words };
}

export function whole(minimum: number, maximum: number): Schema {
  return { type: "integer", minimum, maximum };
}

/** Names and their texts, such as labels and annotations. */
export const texts: Schema = { type: "object", additionalProperties: { type: "string" } };

/** What Kubernetes itself defines, handed on as it is: the API schemas judge it once it is rendered. */
export const handedOn: Schema = { type: "object" };
export const handedOnList: Schema = { type: "array", items: { type: "object" } };

/** An existing Secret and the key in it that holds the value. */
export function secretRef(path: string, key: string, doc: string): Value[] {
  return [
    { path: `${path}.name`, doc, default: "", schema: textLike("^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$") },
    { path: `${path}.key`, doc: "The key in that Secret.", default: key, schema: textLike("^[-._a-zA-Z0-9]{1,253}$") },
  ];
}
