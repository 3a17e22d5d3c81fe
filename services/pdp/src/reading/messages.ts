import type { CedarTexts, Documents, Problem, SourceFile, Unplaced } from "@remit/engine";

/** What the reading thread is asked, one question at a time. */
export type Question =
  /** Of many files: the first of them, before the last are asked about. It answers nothing. */
  | { readonly ask: "take"; readonly read: number; readonly files: readonly SourceFile[] }
  /** `before`: how many were taken, so that none is missing where a new thread is asked. */
  | { readonly ask: "read"; readonly read: number; readonly files: readonly SourceFile[]; readonly before: number }
  | { readonly ask: "more"; readonly read: number }
  | { readonly ask: "place"; readonly read: number; readonly unplaced: readonly Unplaced[] }
  | { readonly ask: "forget"; readonly read: number }
  | { readonly ask: "cedar"; readonly texts: CedarTexts };

/** A document as text, so that the thread that decides takes it over without walking it. */
export interface ReadText {
  readonly kind: keyof Documents;
  readonly json: string;
  readonly digest: Uint8Array;
}

/** Some of the documents, so that no answer is long to take over; the rest is asked for. */
export interface MoreAnswer {
  readonly texts: readonly ReadText[];
  readonly more: boolean;
}

export interface ReadAnswer extends MoreAnswer {
  readonly problems: readonly Problem[];
}

/** Undefined for what has no place. */
export type PlaceAnswer = readonly (Problem | undefined)[];
