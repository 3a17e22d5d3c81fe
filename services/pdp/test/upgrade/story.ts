import { type JsonObject, toJson } from "@bufbuild/protobuf";
import {
  GetDecisionResponseSchema,
  ListAgentsResponseSchema,
  ListCallersResponseSchema,
  ListPoliciesResponseSchema,
  ListToolsResponseSchema,
} from "@remit/proto/admin";
import type { DecideRequest } from "@remit/proto/decision";
import type { Clients } from "./clients.ts";
import { unprefixed } from "./comparable.ts";
import { asked, createTeller, insist, reported, type Tale, type Told } from "./teller.ts";

/** What a build answers when it is asked about everything that a tale left behind. Answers are JSON of protobuf. */
export interface Answers {
  /** Every call of the tale that may still be asked, asked once more. */
  readonly again: readonly Told[];
  /** Every report of the tale that may still be made, made once more. */
  readonly reportedAgain: readonly Told[];
  /** Fresh calls under the policies in force. */
  readonly fresh: readonly Told[];
  /** GetDecision of every decision, by its id. */
  readonly entries: Readonly<Record<string, JsonObject>>;
  readonly lists: Readonly<Record<"agents" | "tools" | "policies" | "callers", JsonObject>>;
}

/** A database's story: how it came to be, and what the build that wrote it answered in the end. */
export interface Story {
  readonly tale: Tale;
  readonly answers: Answers;
  /** What time it was for the build when it gave these answers. */
  readonly answeredAtMs: number;
  /** Wraps the keys in the database. For this database alone: nothing else was ever protected by it. */
  readonly keyEncryptionKey: string;
}

/** Whether a session's token still proves something; what is closed may be asked about all the same. */
const speaksStill = ({ keys, sessions }: Tale, name: string, nowMs: number): boolean => {
  const told = sessions[name];
  return told !== undefined && keys[told.by]?.revoked !== true && told.tokenExpiresAtMs > nowMs;
};

async function askAgain(
  clients: Clients,
  tale: Tale,
  nowMs: number,
): Promise<Pick<Answers, "again" | "reportedAgain">> {
  const { headersOf } = createTeller(clients, tale);
  const again: Told[] = [];
  const reportedAgain: Told[] = [];
  for (const { session, request } of tale.calls.filter((told) => speaksStill(tale, told.session, nowMs))) {
    const answer = await insist(() => clients.decisions.decide(asked.request(request), headersOf(session)));
    again.push({ session, request, answer: asked.json(answer) });
  }
  for (const { session, request } of tale.reports.filter((told) => speaksStill(tale, told.session, nowMs))) {
    const answer = await insist(() => clients.decisions.report(reported.request(request), headersOf(session)));
    reportedAgain.push({ session, request, answer: reported.json(answer) });
  }
  return { again, reportedAgain };
}

/** Calls of both agents. */
export interface Questions {
  readonly books: readonly DecideRequest[];
  readonly flights: readonly DecideRequest[];
}

/** The fresh calls of a kept story under names of their own: as they were asked then, whatever is asked since. */
export function askedThen({ answers }: Story, prefix: string): Questions {
  const of = (name: string): DecideRequest[] =>
    answers.fresh
      .filter(({ session }) => session === name)
      .map(({ request }) => asked.request({ ...request, callId: `${prefix}-${unprefixed(request.callId)}` }));
  return { books: of("today"), flights: of("flights") };
}

/** Asks a running build about everything. The fresh calls leave entries of their own. */
export async function askAll(clients: Clients, tale: Tale, fresh: Questions, nowMs: number): Promise<Answers> {
  const { owner } = createTeller(clients, tale);
  const said = await askAgain(clients, tale, nowMs);
  const apart: Tale = { ...tale, calls: [], reports: [] };
  const teller = createTeller(clients, apart);
  for (const request of fresh.books) await teller.ask("today", request);
  for (const request of fresh.flights) await teller.ask("flights", request);
  const entries: Record<string, JsonObject> = {};
  for (const { answer } of tale.calls) {
    const { decisionId } = asked.answer(answer);
    entries[decisionId] = toJson(
      GetDecisionResponseSchema,
      await clients.ledger.getDecision({ decisionId }, owner()),
    ) as JsonObject;
  }
  const { agents, tools, policies, callers } = clients;
  const lists = {
    agents: toJson(ListAgentsResponseSchema, await agents.listAgents({}, owner())) as JsonObject,
    tools: toJson(ListToolsResponseSchema, await tools.listTools({}, owner())) as JsonObject,
    policies: toJson(ListPoliciesResponseSchema, await policies.listPolicies({}, owner())) as JsonObject,
    callers: toJson(ListCallersResponseSchema, await callers.listCallers({}, owner())) as JsonObject,
  };
  return { ...said, fresh: apart.calls, entries, lists };
}
