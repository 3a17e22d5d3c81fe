import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Effect } from "@remit/proto/common";
import { DecisionService } from "@remit/proto/decision";
import { SessionService } from "@remit/proto/session";
import type { Addresses } from "./fleet.ts";

/** Everything by which a member may let somebody go on: by a commit, by an answer from before, by no commit at all. */
export const WAYS = ["decide", "ask again", "explain", "open", "open again", "renew"] as const;
export type Way = (typeof WAYS)[number];

/** One request and what came of it. */
export interface Asked {
  readonly way: Way;
  /** When it was sent, before anything of it left. */
  readonly sentAtMs: number;
  /** `failed`: it was answered with neither. */
  readonly outcome: "allowed" | "refused" | "failed";
  /** The code of a refusal, or the error's. */
  readonly code: string;
  /** By which member. */
  readonly member: number;
}

/** What is revoked, as its requests name it. */
export interface Victim {
  readonly agent: string;
  readonly tool: string;
  readonly principal: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sessionId: string;
  readonly token: string;
  readonly runId: string;
}

const REFUSALS: ReadonlySet<string> = new Set([
  ...["session_revoked", "agent_suspended", "principal_suspended", "tool_suspended", "halted"],
]);
const TIMEOUT_MS = 15_000;

/** Asks one member in each of the ways. `allowedBefore` are ids of calls that it allowed the victim. */
export function asker(at: Addresses, member: number, ownerKey: string) {
  const data = createConnectTransport({
    ...{ baseUrl: `http://${at.httpAddress}`, httpVersion: "1.1", defaultTimeoutMs: TIMEOUT_MS },
  });
  const decisions = createClient(DecisionService, data);
  const sessions = createClient(SessionService, data);
  const authorization = `Bearer ${ownerKey}`;
  const owner = { headers: { authorization } };
  let calls = 0;

  const call = ({ tool }: Victim, callId: string) => ({
    ...{ callId, tool, input: { case: "inputJson", value: Buffer.from("{}") } as const },
  });
  const open = async ({ agent, principal: id, labels }: Victim, runId: string) => {
    await sessions.openSession({ agent, labels, runId, onBehalfOf: { case: "principal", value: { id } } }, owner);
    return "";
  };
  const run: Readonly<Record<Way, (victim: Victim, known: string) => Promise<string>>> = {
    async decide(victim) {
      const with_ = { headers: { authorization, "remit-session": victim.token } };
      const answer = await decisions.decide(call(victim, `${victim.sessionId}-${member}-${++calls}`), with_);
      return answer.effect === Effect.ALLOW ? "" : (answer.reason?.code ?? "?");
    },
    async "ask again"(victim, known) {
      const with_ = { headers: { authorization, "remit-session": victim.token } };
      const answer = await decisions.decide(call(victim, known), with_);
      return answer.effect === Effect.ALLOW ? "" : (answer.reason?.code ?? "?");
    },
    async explain(victim) {
      const with_ = { headers: { authorization, "remit-session": victim.token } };
      const { verdict } = await decisions.explain({ call: call(victim, "explained") }, with_);
      return verdict?.effect === Effect.ALLOW ? "" : (verdict?.reason?.code ?? "?");
    },
    open: (victim) => open(victim, ""),
    "open again": (victim) => open(victim, victim.runId),
    async renew({ sessionId }) {
      await sessions.renewSession({ sessionId }, owner);
      return "";
    },
  };

  return async (way: Way, victim: Victim, known: string): Promise<Asked> => {
    const sentAtMs = performance.now();
    try {
      const code = await run[way](victim, known);
      return { way, sentAtMs, member, code, outcome: code === "" ? "allowed" : "refused" };
    } catch (error) {
      const failed = ConnectError.from(error);
      // A refusal of what passes no commit is a failed precondition.
      const refused = failed.code === Code.FailedPrecondition;
      return { way, sentAtMs, member, code: failed.rawMessage, outcome: refused ? "refused" : "failed" };
    }
  };
}

/** Whether a code of a decision is one of a revocation. */
export const isRevoked = (code: string): boolean => REFUSALS.has(code);
