import type { JsonObject, Risk } from "@remit/engine";
import { Document } from "yaml";
import { type Fitted, fitSchema, type SchemaJudge } from "./fit-schema.ts";
import { guessRisk } from "./guess.ts";
import type { Guess, Offer, OfferedTool, Source } from "./offered-tool.ts";
import { oneLine } from "./plain-text.ts";
import { fileName, registrableName } from "./tool-names.ts";

/** A tool that was read, judged, and is ready to be written. */
export interface Drafted {
  /** The name it is to be registered under. */
  readonly name: string;
  readonly offeredName: string;
  readonly file: string;
  readonly guess: Guess;
  /** The digest of the schema as it was offered; undefined if it has none that can be written. */
  readonly offeredDigest: string | undefined;
  /** The Tool document in YAML. */
  readonly text: string;
}

export interface Drafting {
  /** Goes before every name. */
  readonly prefix: string;
  readonly judge: SchemaJudge;
  /** The digest of a schema; throws for what has none. */
  readonly digest: (schema: JsonObject) => string;
}

const descriptionCharsMax = 1500;
const labelCharsMax = 200;

/** Judges every tool of an offer and drafts its document. */
export function draftTools({ source, tools }: Offer, drafting: Drafting): Drafted[] {
  const [names, files] = [new Set<string>(), new Set<string>()];
  return tools.map((tool) => {
    const name = registrableName(tool.name, drafting.prefix, names);
    const guess = guessRisk(tool);
    const fitted = fitSchema(tool.inputSchema, drafting.judge);
    const offeredDigest = digestOf(tool.inputSchema, drafting);
    const text = documentText({ name, tool, source, guess, fitted, offeredDigest });
    return { name, offeredName: oneLine(tool.name), file: fileName(name, files), guess, offeredDigest, text };
  });
}

function digestOf(schema: JsonObject, { digest }: Drafting): string | undefined {
  try {
    return digest(schema);
  } catch {
    // Too deep, or with numbers that JSON readers round: nobody can name it.
    return undefined;
  }
}

interface Parts {
  readonly name: string;
  readonly tool: OfferedTool;
  readonly source: Source;
  readonly guess: Guess;
  readonly fitted: Fitted;
  readonly offeredDigest: string | undefined;
}

const advice: Readonly<Record<Risk, string>> = {
  unclassified: "Find out what it does, then say read, write or destructive.",
  read: "Check that it only reads.",
  write: "Check what it changes, and who may ask for it.",
  destructive: "Check what it can destroy, and whether people should agree first.",
};

function documentText({ name, tool, source, guess, fitted, offeredDigest }: Parts): string {
  const poisoned = guess.poison.length > 0;
  const description = oneLine(tool.description, descriptionCharsMax);
  const changed = fitted.schema !== tool.inputSchema;
  const spec = {
    server: source.server,
    ...(description !== "" && !poisoned && { description }),
    risk: guess.risk,
    labels: labelsOf(tool, source),
    ...(guess.foreignOutput && { outputLabels: ["untrusted"] }),
    ...(poisoned && { status: "suspended" }),
    ...(changed && offeredDigest !== undefined && { offeredSchema: offeredDigest }),
    inputSchema: fitted.schema,
  };
  const document = new Document(
    { apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec },
    { aliasDuplicateObjects: false },
  );
  document.commentBefore = comment([
    `${oneLine(tool.name)}, offered by ${oneLine(source.title)}. Guessed from what its server says of it: review it.`,
    `risk ${guess.risk}: ${guess.why.join("; ")}.`,
    ...[...guess.poison, ...guess.doubts].map((warning) => `LOOK: ${warning}.`),
    ...(poisoned ? ["So it is suspended, and its description is left out. Read it where it is offered."] : []),
    advice[guess.risk],
    ...fitted.losses.map((loss) => `Left out of its schema: ${loss}.`),
  ]);
  return document.toString({ lineWidth: 120 });
}

function labelsOf({ labels = {} }: OfferedTool, source: Source): Record<string, string> {
  const named = Object.entries(labels).map(([key, value]) => [key, oneLine(value, labelCharsMax)] as const);
  return Object.fromEntries([["imported-from", source.kind], ...named.filter(([, value]) => value !== "")]);
}

const comment = (lines: readonly string[]) => lines.map((line) => ` ${oneLine(line, 400)}`).join("\n");
