import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";

/** A value as the official data writes it: one key that names its type. */
export type WrittenValue = Readonly<Record<string, unknown>>;

/** One case of CEL's official conformance data. */
export interface ConformanceCase {
  /** `section/group/name`, with a number where a name stands several times. */
  readonly name: string;
  readonly section: string;
  readonly expr: string;
  readonly bindings: Readonly<Record<string, WrittenValue>>;
  /** Undefined where an error is expected, or only a type. */
  readonly value: WrittenValue | undefined;
  readonly error: boolean;
  readonly deduced: WrittenValue | undefined;
}

interface WrittenSuite {
  readonly name: string;
  readonly suites?: readonly WrittenSuite[];
  readonly tests?: readonly { readonly original: unknown }[];
}

interface WrittenCase {
  readonly name: string;
  readonly expr: string;
  readonly bindings?: Readonly<Record<string, { readonly value?: WrittenValue }>>;
  readonly value?: WrittenValue;
  readonly evalError?: unknown;
  readonly typedResult?: { readonly result?: WrittenValue; readonly deducedType?: WrittenValue };
}

/** Every case, in the order of the data. */
export function conformanceCases(): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  const seen = new Map<string, number>();
  const walk = (suite: WrittenSuite, path: readonly string[]) => {
    for (const { original } of suite.tests ?? []) {
      const { name, expr, bindings = {}, value, evalError, typedResult } = original as WrittenCase;
      const full = [...path, name].join("/");
      const times = (seen.get(full) ?? 0) + 1;
      seen.set(full, times);
      // Without an expectation, a case expects true.
      const expected = value ?? typedResult?.result ?? (evalError || typedResult ? undefined : { boolValue: true });
      cases.push({
        name: times === 1 ? full : `${full} (${times})`,
        section: path[0] ?? "",
        expr,
        bindings: Object.fromEntries(Object.entries(bindings).map(([key, bound]) => [key, bound.value ?? {}])),
        value: expected,
        error: evalError !== undefined,
        deduced: typedResult?.deducedType,
      });
    }
    for (const inner of suite.suites ?? []) walk(inner, [...path, inner.name]);
  };
  walk(tests, []);
  return cases;
}
