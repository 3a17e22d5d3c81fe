import type { Drafted } from "./tool-document.ts";

/** A tool as it is registered. */
export interface RegisteredTool {
  readonly name: string;
  readonly server: string;
  readonly schemaDigest: string;
  readonly offeredSchemaDigest: string;
}

export type State = "new" | "same" | "schema changed" | "gone";

export interface Compared {
  /** By name. */
  readonly states: ReadonlyMap<string, State>;
  /** Tools of the same server that are registered and not offered any more. */
  readonly gone: readonly string[];
}

/** What has changed since an offer was registered. */
export function compareTools(
  drafted: readonly Pick<Drafted, "name" | "offeredDigest">[],
  registered: readonly RegisteredTool[],
  server: string,
): Compared {
  const known = new Map(registered.map((tool) => [tool.name, tool]));
  const states = drafted.map(({ name, offeredDigest }) => {
    const tool = known.get(name);
    return [name, tool ? stateOf(tool, offeredDigest) : "new"] as const;
  });
  const offered = new Set(drafted.map(({ name }) => name));
  const gone = registered.filter((tool) => tool.server === server && !offered.has(tool.name));
  return { states: new Map<string, State>(states), gone: gone.map(({ name }) => name).sort() };
}

function stateOf({ schemaDigest, offeredSchemaDigest }: RegisteredTool, offered: string | undefined): State {
  // What nobody can name cannot be told to be the same.
  if (offered === undefined) return "schema changed";
  return offered === schemaDigest || offered === offeredSchemaDigest ? "same" : "schema changed";
}
