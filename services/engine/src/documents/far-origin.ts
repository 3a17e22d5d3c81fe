import type { ProblemDetails, Report } from "./origin.ts";
import type { Problem } from "./problem.ts";

/** What was found in a document that another thread read: only there can it be given its place. */
export interface Unplaced {
  /** The document's number among those that were read together. */
  readonly document: number;
  readonly pointer: string;
  readonly message: string;
  readonly details: ProblemDetails;
}

// A key that copies of a problem keep and that no JSON shows.
const key = Symbol("unplaced");

type MaybeUnplaced = Problem & { readonly [key]?: Unplaced };

const documents = new WeakMap<object, number>();

/** Takes note that a document was read elsewhere, as the one of that number. */
export function rememberFar(document: object, number: number): void {
  documents.set(document, number);
}

/** A report whose problems wait for their place; undefined if the document was not read elsewhere. */
export function farReporter(document: object, placeless: Report, problems: Problem[]): Report | undefined {
  const number = documents.get(document);
  if (number === undefined) return undefined;
  return (pointer, message, details = {}) => {
    placeless(pointer, message, details);
    const problem = problems.pop();
    if (!problem) return;
    // What was worked out here is not worked out again, and what remains can be sent.
    const unplaced: Unplaced = {
      document: number,
      pointer,
      message,
      details: { ...details, ...(details.within && withoutLong(details.within)), nearest: problem.nearest },
    };
    problems.push({ ...problem, [key]: unplaced } as MaybeUnplaced);
  };
}

/** Whoever reads the document has the text, and a thousand problems of a long one would send it a thousand times. */
const sentCharsMax = 4096;
const withoutLong = ({ text, offset }: NonNullable<ProblemDetails["within"]>): Pick<ProblemDetails, "within"> => ({
  within: { text: text.length > sentCharsMax ? "" : text, offset },
});

/** What has to be placed of some problems, in their order. */
export function unplacedIn(problems: readonly Problem[]): Unplaced[] {
  return problems.flatMap((problem) => (problem as MaybeUnplaced)[key] ?? []);
}

/** The same problems with the places that `placeIn` gave for {@link unplacedIn}. */
export function withPlaces(problems: readonly Problem[], places: readonly (Problem | undefined)[]): Problem[] {
  let next = 0;
  return problems.map((problem) => {
    if (!(problem as MaybeUnplaced)[key]) return problem;
    const placed = places[next++];
    return placed ? { ...placed, severity: problem.severity } : problem;
  });
}
