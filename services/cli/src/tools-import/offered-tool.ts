import type { JsonObject, Risk } from "@remit/engine";

/** A tool as its server describes it. Everything in it is the server's word, and none of it is trusted. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  /** Other texts that a model may be shown. */
  readonly otherTexts?: readonly string[];
  /** As it was offered, in whatever dialect. */
  readonly inputSchema: JsonObject;
  /** What an MCP server says of its tool by annotations; absent where it says nothing. */
  readonly claims?: Claims;
  /** How an HTTP operation is called. */
  readonly http?: { readonly method: string; readonly path: string };
  /** What else is worth keeping as labels. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Claims {
  readonly readOnly?: boolean;
  readonly destructive?: boolean;
  readonly openWorld?: boolean;
}

/** Where tools were read from. */
export interface Source {
  readonly kind: "mcp" | "openapi";
  /** `filesystem 1.2.0`, for people. */
  readonly title: string;
  /** What documents call their server: `mcp://filesystem`. */
  readonly server: string;
}

export interface Offer {
  readonly source: Source;
  readonly tools: readonly OfferedTool[];
  /** What could not be read, one line each. */
  readonly notes: readonly string[];
}

/** What a tool is thought to do, and why. */
export interface Guess {
  readonly risk: Risk;
  /** The signs that decided first. One line each, fit for a terminal. */
  readonly why: readonly string[];
  /** Text that speaks to the model instead of about the tool, or hides from people. */
  readonly poison: readonly string[];
  /** Claims of the server that do not fit what else it says; a name that speaks of secrets. */
  readonly doubts: readonly string[];
  /** Whether what the tool answers may have been written by anybody. */
  readonly foreignOutput: boolean;
}
