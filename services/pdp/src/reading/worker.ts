import { parentPort } from "node:worker_threads";
import { type Documents, parseDocuments, placeIn } from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { type DigestKind, digestBytes } from "../foundation/digest.ts";
import type { PlaceAnswer, Question, ReadAnswer, ReadText } from "./messages.ts";

const digestKinds: Readonly<Record<keyof Documents, DigestKind>> = {
  policies: "policy",
  tools: "tool",
  agents: "agent",
  budgets: "budget",
  groups: "group",
};

// What was read and may still be asked about, in the order in which it was handed over.
const known = new Map<number, readonly object[]>();

function read({ read, files }: Extract<Question, { ask: "read" }>): ReadAnswer {
  const { documents, problems } = parseDocuments(files);
  const all: object[] = [];
  const texts: ReadText[] = [];
  for (const kind of Object.keys(digestKinds) as (keyof Documents)[]) {
    for (const document of documents[kind]) {
      all.push(document);
      const digest = digestBytes(digestKinds[kind], canonical(document as unknown as Json));
      texts.push({ kind, json: JSON.stringify(document), digest });
    }
  }
  known.set(read, all);
  return { texts, problems };
}

function place({ read, unplaced }: Extract<Question, { ask: "place" }>): PlaceAnswer {
  const documents = known.get(read) ?? [];
  return unplaced.map((one) => {
    const document = documents[one.document];
    return document && placeIn(document, one);
  });
}

parentPort?.on("message", (question: Question) => {
  if (question.ask === "read") parentPort?.postMessage(read(question));
  else if (question.ask === "place") parentPort?.postMessage(place(question));
  else known.delete(question.read);
});
