import { parentPort } from "node:worker_threads";
import { type Documents, parseDocuments, placeIn, readCedar, type SourceFile } from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { type DigestKind, digestBytes } from "../foundation/digest.ts";
import type { MoreAnswer, PlaceAnswer, Question, ReadAnswer, ReadText } from "./messages.ts";

const digestKinds: Readonly<Record<keyof Documents, DigestKind>> = {
  policies: "policy",
  tools: "tool",
  agents: "agent",
  budgets: "budget",
  groups: "group",
};

interface Known {
  readonly kind: keyof Documents;
  readonly document: object;
}

interface KnownRead {
  /** In the order in which they are handed over. */
  readonly documents: readonly Known[];
  handedOver: number;
}

// What was read and may still be asked about.
const known = new Map<number, KnownRead>();

const ANSWER_CHARS_MAX = 256 * 1024;
const ANSWER_DOCUMENTS_MAX = 200;

// Of what is still coming.
const taken = new Map<number, SourceFile[]>();

function take({ read, files }: Extract<Question, { ask: "take" }>): void {
  taken.set(read, [...(taken.get(read) ?? []), ...files]);
}

function read({ read, files: last, before }: Extract<Question, { ask: "read" }>): ReadAnswer {
  const first = taken.get(read) ?? [];
  taken.delete(read);
  if (first.length !== before) throw new Error("files that came before are missing");
  const files = [...first, ...last];
  const { documents, problems } = parseDocuments(files);
  const kinds = Object.keys(digestKinds) as (keyof Documents)[];
  const all = kinds.flatMap((kind) => documents[kind].map((document): Known => ({ kind, document })));
  const made = { documents: all, handedOver: 0 };
  known.set(read, made);
  return { problems, ...more(made) };
}

function more(of: KnownRead): MoreAnswer {
  const texts: ReadText[] = [];
  let chars = 0;
  while (of.handedOver < of.documents.length && texts.length < ANSWER_DOCUMENTS_MAX && chars < ANSWER_CHARS_MAX) {
    const { kind, document } = of.documents[of.handedOver++] as Known;
    const json = JSON.stringify(document);
    chars += json.length;
    texts.push({ kind, json, digest: digestBytes(digestKinds[kind], canonical(document as unknown as Json)) });
  }
  return { texts, more: of.handedOver < of.documents.length };
}

/** Undefined where another thread before this one has read them. */
function moreOf({ read }: Extract<Question, { ask: "more" }>): MoreAnswer | undefined {
  const of = known.get(read);
  return of && more(of);
}

function place({ read, unplaced }: Extract<Question, { ask: "place" }>): PlaceAnswer {
  const documents = known.get(read)?.documents ?? [];
  return unplaced.map((one) => {
    const found = documents[one.document];
    return found && placeIn(found.document, one);
  });
}

parentPort?.on("message", (question: Question) => {
  if (question.ask === "read") parentPort?.postMessage(read(question));
  else if (question.ask === "take") take(question);
  else if (question.ask === "more") parentPort?.postMessage(moreOf(question));
  else if (question.ask === "place") parentPort?.postMessage(place(question));
  else if (question.ask === "cedar") parentPort?.postMessage(readCedar(question.texts));
  else known.delete(question.read);
});
