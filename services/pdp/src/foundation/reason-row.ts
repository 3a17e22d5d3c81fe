/** What went wrong, in the words of the service. Only `wire/errors.ts` knows their status codes. */
export type FaultKind =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "missing"
  | "conflict"
  | "precondition"
  | "aborted"
  | "exhausted"
  | "timeout"
  | "unavailable"
  | "unimplemented"
  | "internal";

/** A reason, as docs/codes.md shows it. */
export interface ReasonRow {
  /** The kinds of fault that carry it; `cancelled` is no fault of anybody. */
  readonly kinds: readonly (FaultKind | "cancelled")[];
  readonly means: string;
  readonly todo: string;
  /** The first version that answers it. */
  readonly since: string;
}
