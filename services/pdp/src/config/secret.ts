const inspected = Symbol.for("nodejs.util.inspect.custom");
const REDACTED = "[secret]";

/** A value that no log, error, JSON or template ever shows. Only `reveal` gives it out. */
export class Secret<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  /** The value itself. Every use of it is a place to review. */
  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspected](): string {
    return REDACTED;
  }
}
