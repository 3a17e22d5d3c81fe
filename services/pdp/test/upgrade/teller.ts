import { setTimeout } from "node:timers/promises";
import { create, fromJson, type JsonObject, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type DecideRequest,
  DecideRequestSchema,
  type DecideResponse,
  DecideResponseSchema,
  type ReportRequest,
  ReportRequestSchema,
  type ReportResponse,
  ReportResponseSchema,
} from "@remit/proto/decision";
import type { OpenSessionRequestSchema } from "@remit/proto/session";
import { type Clients, speaks } from "./clients.ts";

/** A caller of the story. */
export interface ToldKey {
  readonly key: string;
  readonly callerId: string;
  readonly revoked?: true;
}

export interface ToldSession {
  readonly id: string;
  /** The newest token that was given. */
  readonly token: string;
  readonly tokenExpiresAtMs: number;
  /** The caller's name. */
  readonly by: string;
  readonly runId?: string;
  readonly closed?: true;
}

/** A message and its answer in the JSON of protobuf. */
export interface Told {
  readonly session: string;
  readonly request: JsonObject;
  readonly answer: JsonObject;
}

/** What was said through the front door, in order. */
export interface Tale {
  readonly keys: Record<string, ToldKey>;
  readonly sessions: Record<string, ToldSession>;
  readonly calls: Told[];
  readonly reports: Told[];
}

/** A later build may say more than this one reads. */
const lenient = { ignoreUnknownFields: true } as const;

export const asked = {
  request: (json: JsonObject): DecideRequest => fromJson(DecideRequestSchema, json, lenient),
  answer: (json: JsonObject): DecideResponse => fromJson(DecideResponseSchema, json, lenient),
  json: (answer: DecideResponse): JsonObject => toJson(DecideResponseSchema, answer) as JsonObject,
};

export const reported = {
  request: (json: JsonObject): ReportRequest => fromJson(ReportRequestSchema, json, lenient),
  answer: (json: JsonObject): ReportResponse => fromJson(ReportResponseSchema, json, lenient),
  json: (answer: ReportResponse): JsonObject => toJson(ReportResponseSchema, answer) as JsonObject,
};

export type AskMore = Omit<MessageInitShape<typeof DecideRequestSchema>, "$typeName" | "callId" | "tool" | "input">;

/** Constraints that a caller of the story can honour, unless it says otherwise. */
const supportedConstraints = ["timeout", "maxOutputBytes"];

/** One call as an SDK would send it. */
export function call(callId: string, tool: string, input: JsonObject, more: AskMore = {}): DecideRequest {
  const inputJson = Buffer.from(JSON.stringify(input));
  return create(DecideRequestSchema, {
    callId,
    tool,
    input: { case: "inputJson", value: inputJson },
    supportedConstraints,
    ...more,
  });
}

const tokenOf = ({ token, tokenExpiresAt }: { token: string; tokenExpiresAt?: { seconds: bigint } | undefined }) => ({
  token,
  tokenExpiresAtMs: Number(tokenExpiresAt?.seconds ?? 0n) * 1000,
});

const PATIENCE_MS = 10_000;

/** As an SDK does: what may pass by itself is asked again. A busy machine leaves policies behind for a moment. */
export async function insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unavailable || performance.now() > endMs) throw error;
      await setTimeout(50);
    }
  }
}

/** Plays a story on a running service and writes down what was asked and answered. */
export function createTeller(clients: Clients, tale: Tale) {
  const keyOf = (name: string): string => {
    const found = tale.keys[name];
    if (found === undefined) throw new Error(`nobody made the key ${name}`);
    return found.key;
  };
  const sessionOf = (name: string): ToldSession => {
    const found = tale.sessions[name];
    if (found === undefined) throw new Error(`nobody opened the session ${name}`);
    return found;
  };
  const headersOf = (name: string) => ({ headers: speaks(keyOf(sessionOf(name).by), sessionOf(name).token) });
  const owner = () => ({ headers: speaks(keyOf("owner")) });

  const report = async (session: string, init: MessageInitShape<typeof ReportRequestSchema>) => {
    const request = create(ReportRequestSchema, init);
    const answer = await insist(() => clients.decisions.report(request, headersOf(session)));
    tale.reports.push({
      session,
      request: toJson(ReportRequestSchema, request) as JsonObject,
      answer: reported.json(answer),
    });
    return answer;
  };

  const ask = async (session: string, request: DecideRequest): Promise<DecideResponse> => {
    const answer = await insist(() => clients.decisions.decide(request, headersOf(session)));
    const requestJson = toJson(DecideRequestSchema, request) as JsonObject;
    tale.calls.push({ session, request: requestJson, answer: asked.json(answer) });
    return answer;
  };

  return {
    owner,
    headersOf,
    ask,
    report,
    async key(name: string, agents: string[], roles: string[] = []) {
      const init = { name, agents, roles, mayAssertPrincipals: true };
      const { key, caller } = await clients.callers.createKey(init, owner());
      tale.keys[name] = { key, callerId: caller?.id ?? "" };
    },
    async revoke(name: string) {
      const key = keyOf(name);
      const { caller } = await clients.callers.revokeKey({ callerId: tale.keys[name]?.callerId ?? "" }, owner());
      tale.keys[name] = { key, callerId: caller?.id ?? "", revoked: true };
    },
    async open(name: string, by: string, init: MessageInitShape<typeof OpenSessionRequestSchema>) {
      const { session, ...given } = await clients.sessions.openSession(init, { headers: speaks(keyOf(by)) });
      const { runId } = init;
      tale.sessions[name] = { id: session?.id ?? "", ...tokenOf(given), by, ...(runId !== undefined && { runId }) };
    },
    async renew(name: string) {
      const told = sessionOf(name);
      const headers = speaks(keyOf(told.by));
      tale.sessions[name] = {
        ...told,
        ...tokenOf(await clients.sessions.renewSession({ sessionId: told.id }, { headers })),
      };
    },
    async close(name: string) {
      const told = sessionOf(name);
      await clients.sessions.closeSession({ sessionId: told.id }, { headers: speaks(keyOf(told.by)) });
      tale.sessions[name] = { ...told, closed: true };
    },
    /** Several calls in one message. */
    async askTogether(session: string, requests: DecideRequest[]) {
      const { items } = await clients.decisions.decideBatch({ items: requests }, headersOf(session));
      for (const [at, { outcome }] of items.entries()) {
        const request = requests[at];
        if (request === undefined || outcome.case !== "decision") throw new Error("an item was not decided");
        const requestJson = toJson(DecideRequestSchema, request) as JsonObject;
        tale.calls.push({ session, request: requestJson, answer: asked.json(outcome.value) });
      }
    },
  };
}

export type Teller = ReturnType<typeof createTeller>;
