import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { Facts } from "@remit/engine";
import { type DecideResponse, DecisionService } from "@remit/proto/decision";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient as createSdk, type Client as Sdk } from "../../../../sdk-node/src/index.ts";
import { limits } from "../../src/foundation/limits.ts";
import { settableClock } from "../../src/index.ts";
import { type ExchangeStream, openStream } from "../support/exchange-stream.ts";
import { type House, openSession, startHouse } from "../support/pdp.ts";
import {
  agentText,
  type PolicyCases,
  policyCases,
  sessionScope,
  type Told,
  toldByEngine,
  unmappable,
} from "./policy-cases.ts";

const sets = policyCases();
const utf8 = (value: unknown) => Buffer.from(JSON.stringify(value));
const effects = ["", "allow", "transform", "escalate", "clarify", "deny"];

/** What every door is given: an open session, and the call. */
interface Asking {
  readonly callId: string;
  readonly facts: Facts;
  readonly token: string;
  readonly headers: Record<string, string>;
  readonly sessionId: string;
}

function told(answer: DecideResponse, transformed: unknown): Told {
  const { effect, reason, rules, would } = answer;
  return {
    effect: effects[effect] ?? "",
    code: reason?.code ?? "",
    message: reason?.message ?? "",
    rules: rules.map(({ policy, rule }) => `${policy}/${rule}`),
    transformed,
    would: would && effects[would.effect],
  };
}

function inBytes({ callId, facts }: Asking) {
  const { input, context, answers, call, supportedConstraints } = facts;
  return {
    callId,
    tool: call.tool,
    input: { case: "inputJson" as const, value: utf8(input) },
    context: { case: "contextJson" as const, value: utf8(context) },
    answers: { case: "answersJson" as const, value: utf8(answers) },
    estimate: call.estimate.map((amount) => ({ ...amount })),
    supportedConstraints: [...supportedConstraints],
  };
}

function byBytes(answer: DecideResponse): Told {
  const { transformed } = answer;
  const input =
    transformed.case === "transformedJson" ? JSON.parse(Buffer.from(transformed.value).toString()) : undefined;
  return told(answer, input);
}

function asObjects(asking: Asking) {
  const { input, context, answers } = asking.facts;
  return {
    ...inBytes(asking),
    input: { case: "inputObject" as const, value: input as never },
    context: { case: "contextObject" as const, value: context as never },
    answers: { case: "answersObject" as const, value: answers as never },
  };
}

const byObjects = (answer: DecideResponse): Told =>
  told(answer, answer.transformed.case === "transformedObject" ? answer.transformed.value : undefined);

describe.each(sets)("every case of $name", (set: PolicyCases) => {
  let house: House;
  let sdk: Sdk;
  let stream: ExchangeStream;
  let frame = 1n;
  const agents = new Map<string, string>();
  // Time is only moved where rules ask for it.
  const timed = /\bnow\b/.test(set.text);
  const timeOf = ({ now }: Facts) => (timed ? Date.parse(now) : Date.now());
  const clock = settableClock(Math.min(...set.calls.map(({ facts }) => timeOf(facts))) - 86_400_000);

  beforeAll(async () => {
    house = await startHouse({ clock });
    const headers = { authorization: `Bearer ${house.ownerKey}` };
    for (const document of set.documents.tools) {
      await house.clients.tools.putTool(
        { document: { file: "tool.yaml", text: JSON.stringify(document) } },
        { headers },
      );
    }
    for (const document of set.documents.policies) {
      const files = [{ file: "policy.yaml", text: JSON.stringify(document) }];
      expect((await house.clients.policies.publishPolicies({ files }, { headers })).versions).toHaveLength(1);
    }
    const choices = set.documents.policies.map(({ metadata }) => ({ policy: metadata.name }));
    await house.clients.policies.activatePolicies({ choices }, { headers });
    for (const { facts } of set.calls) {
      const text = agentText(`agent-${agents.size}`, facts);
      const key = agentText("", facts);
      if (unmappable(facts) !== undefined || agents.has(key)) continue;
      agents.set(key, `agent-${agents.size}`);
      const { problems } = await house.clients.agents.putAgent({ document: { file: "agent.yaml", text } }, { headers });
      expect(problems).toEqual([]);
    }
    for (let depth = 0; depth < limits.delegationDepthMax; depth++) {
      const text = `{apiVersion: remit/v1, kind: Agent, metadata: {name: above-${depth}}}`;
      await house.clients.agents.putAgent({ document: { file: "agent.yaml", text } }, { headers });
    }
    const quotas = { delegationDepth: limits.delegationDepthMax };
    await house.clients.tenants.updateTenant({ tenant: "default", quotas }, { headers });
    sdk = createSdk({ address: house.pdp.grpcAddress, key: house.ownerKey, deadlineMs: 30_000, hedgeMs: 20_000 });
    stream = openStream(house);
  });

  /** A session as deep as the call's facts have it, each one above it for an agent of its own. */
  const openAt = async (
    { session: { depth } }: Facts,
    opening: Record<string, unknown>,
  ): ReturnType<typeof openSession> => {
    if (depth === 0) return openSession(house, opening as never);
    const { onBehalfOf, agent, ...asked } = opening;
    let link = await openSession(house, { agent: "above-0", onBehalfOf } as never);
    for (let at = 1; at <= depth; at++) {
      const scope = { tools: ["*"], maxDepth: depth - at };
      const delegation = at === depth ? { agent, scope, ...asked } : { agent: `above-${at}`, scope };
      const { session, token } = await house.clients.sessions.delegate(delegation as never, { headers: link.headers });
      if (!session) throw new Error("no session was answered");
      link = { session, token, headers: { ...link.headers, "remit-session": token } };
    }
    return link;
  };

  afterAll(async () => {
    await sdk?.close();
    await stream?.end();
    await house?.close();
  });

  const doors: Readonly<Record<string, (asking: Asking) => Promise<Told>>> = {
    "gRPC, bytes": async (asking) =>
      byBytes(await house.clients.decisionsByGrpc.decide(inBytes(asking), { headers: asking.headers })),
    "gRPC, objects": async (asking) =>
      byObjects(await house.clients.decisionsByGrpc.decide(asObjects(asking), { headers: asking.headers })),
    "Connect, binary": async (asking) =>
      byObjects(await house.clients.decisions.decide(asObjects(asking), { headers: asking.headers })),
    "Connect, JSON": async (asking) => {
      const baseUrl = `http://${house.pdp.httpAddress}`;
      const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false });
      return byObjects(
        await createClient(DecisionService, transport).decide(asObjects(asking), { headers: asking.headers }),
      );
    },
    DecideBatch: async (asking) => {
      const items = [inBytes(asking), { ...inBytes(asking), callId: `${asking.callId}-again` }];
      const answer = await house.clients.decisionsByGrpc.decideBatch({ items }, { headers: asking.headers });
      const [first, second] = answer.items.map(({ outcome }) => {
        if (outcome.case !== "decision") throw new Error(JSON.stringify(outcome.value));
        return byBytes(outcome.value);
      });
      expect(second).toEqual(first);
      return first as Told;
    },
    Exchange: async (asking) => {
      const handle = await stream.attach(frame++, asking.token);
      const answer = await stream.ask(frame++, { case: "decide", value: { handle, call: inBytes(asking) } });
      if (answer.case !== "decided") throw new Error(JSON.stringify(answer.value));
      return byBytes(answer.value);
    },
    "the SDK": async ({ facts, sessionId, callId }) => {
      const session = await sdk.adoptSession(sessionId);
      const { tool, estimate } = facts.call;
      const call = { callId, tool, input: facts.input, context: facts.context, answers: facts.answers, estimate };
      const decision = await sdk.decide(session, call);
      const would = decision.effect === "deny" ? decision.recorded?.would : decision.would;
      return {
        effect: decision.effect,
        code: decision.reason.code,
        message: decision.reason.message,
        rules: decision.rules.map(({ policy, rule }) => `${policy}/${rule}`),
        transformed: decision.effect === "transform" ? decision.input : undefined,
        would: would?.effect,
      };
    },
  };

  test("has the same answer at every door", async () => {
    const inOrder = set.calls
      .map((call, at) => ({ ...call, at }))
      .sort((one, other) => Date.parse(one.facts.now) - Date.parse(other.facts.now));
    const left: Record<string, string> = {};
    let asked = 0;
    for (const { name, facts, at } of inOrder) {
      const reason = unmappable(facts);
      if (reason !== undefined) {
        left[name] = reason;
        continue;
      }
      const expected = toldByEngine(set.compiled, facts);
      const agent = agents.get(agentText("", facts)) ?? "";
      const { labels, purpose, ageSeconds } = facts.session;
      const scope = sessionScope(facts);
      const opening = { agent, purpose, labels, ...(scope ? { scope } : {}) };
      for (const [door, ask] of Object.entries(doors)) {
        // What a client of the SDK supports is its own, not the call's.
        if (door === "the SDK" && facts.supportedConstraints.length < 4) continue;
        const now = timeOf(facts);
        clock.set(now - ageSeconds * 1000);
        const principal = {
          case: "principal" as const,
          value: { id: facts.principal.id, labels: { ...facts.principal.labels } },
        };
        const { session, token, headers } = await openAt(facts, { ...opening, onBehalfOf: principal });
        clock.set(now);
        const callId = `case-${at}-${door.length}`;
        expect(await ask({ callId, facts, token, headers, sessionId: session.id }), `${name}, through ${door}`).toEqual(
          expected,
        );
        asked++;
      }
    }
    expect(left).toEqual(notMapped[set.name]);
    expect(asked).toBe(askedCount[set.name]);
  });
});

const grantedByPeople = "an approval is granted by people, for a call that waits";

/** The cases that no session can be opened for, and why. */
const notMapped: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  payments: {
    "once they granted it, it runs": grantedByPeople,
    "a grant under another version of the policy is none": grantedByPeople,
    "abroad is forbidden, whatever was granted or answered (2)": grantedByPeople,
  },
  browsing: {
    "a tenant that observes lets everything pass and says what it would have done": "a session has a scope",
  },
  starter: {
    granted: grantedByPeople,
  },
};

/** Answers that were compared: a case has one a door. */
const askedCount: Readonly<Record<string, number>> = { payments: 293, browsing: 168, starter: 637 };
