import type { Documents, Problem, SourceFile } from "@remit/engine";

/** What files say. */
export interface ReadDocuments {
  readonly documents: Documents;
  readonly problems: Problem[];
  /** The digest of a document that was read; undefined where nobody has made it yet. */
  digestOf(document: object): Uint8Array | undefined;
  /** Problems, those that were found in these documents later with their places in the files. */
  placed(problems: readonly Problem[]): Promise<Problem[]>;
  /** Nothing more will be asked about them. */
  done(): void;
}

/** Reads documents from files, off the thread that decides where they are long. Throws a fault where that has a limit. */
export type ReadFiles = (files: readonly SourceFile[]) => Promise<ReadDocuments>;

/** Works with what files say, and lets go of it. */
export async function withRead<Result>(
  read: ReadFiles,
  files: readonly SourceFile[],
  work: (parsed: ReadDocuments) => Promise<Result>,
): Promise<Result> {
  const parsed = await read(files);
  try {
    return await work(parsed);
  } finally {
    parsed.done();
  }
}
