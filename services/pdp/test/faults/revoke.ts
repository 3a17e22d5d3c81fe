import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AgentService, PolicyService, ToolService } from "@remit/proto/admin";
import { RevocationService, type RevocationSubjectSchema } from "@remit/proto/revocation";
import { SessionService } from "@remit/proto/session";
import { eventually } from "../support/processes.ts";
import { type Asked, asker, isRevoked, type Victim, WAYS, type Way } from "./asked-of.ts";
import { askOver, furnishFleet, openSessions } from "./clients.ts";
import { type Member, startFleet } from "./fleet.ts";
import { startLoad } from "./load.ts";

type Subject = NonNullable<MessageInitShape<typeof RevocationSubjectSchema>["subject"]>;

/** Everything that can be revoked. */
export const REVOKED = ["agent", "session", "principal", "tool", "labels", "agent's labels", "tenant"] as const;
type Kind = (typeof REVOKED)[number];

/** What befalls one member while another one revokes. */
export const BEFALLS = ["nothing", "paused", "its poll cut off", "cut off"] as const;
type Befalls = (typeof BEFALLS)[number];

export interface Revoking {
  /** Empty when no request that was sent after an acknowledgement was allowed, and all was refused as it should be. */
  readonly wrong: readonly string[];
  readonly revoked: ReadonlyMap<string, number>;
  /** Requests that were sent after the acknowledgement, by way and outcome. */
  readonly later: ReadonlyMap<string, number>;
  /** Requests that were sent before it, likewise. */
  readonly before: ReadonlyMap<string, number>;
  /** From sent to acknowledged. */
  readonly acknowledgedMs: readonly number[];
  /** Answers that others had meanwhile, who have nothing to do with it. */
  readonly answered: number;
}

export interface RevokingOptions {
  readonly runtimeUrl: string;
  readonly random: () => number;
  /** What is revoked next, and what befalls a member then; null when it is enough. */
  readonly next: () => { readonly kind: Kind; readonly befalls: Befalls } | null;
  readonly say?: (line: string) => void;
}

const AGENTS = 4;
const LOAD_CALLERS = 6;
const HAMMERS = 2;
const TRIES_MAX = 200;

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const document = (kind: string, name: string, spec: string) => ({
  file: `${name}.yaml`,
  text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
});

/** Agents and tools that are revoked in turns, and a policy that allows them all. */
async function furnish(at: Member, ownerKey: string): Promise<void> {
  await furnishFleet(at, ownerKey);
  const admin = createConnectTransport({ baseUrl: `http://${at.adminAddress}`, httpVersion: "1.1" });
  const [agents, tools, policies] = [
    createClient(AgentService, admin),
    createClient(ToolService, admin),
    createClient(PolicyService, admin),
  ];
  const by = bearer(ownerKey);
  for (let n = 0; n < AGENTS; n++) {
    const spec = `{ labels: { of: agent-${n} }, ceiling: { tools: ["*"] } }`;
    await agents.putAgent({ document: document("Agent", `agent-${n}`, spec) }, by);
    await tools.putTool({ document: document("Tool", `victim.tool-${n}`, "{ risk: write }") }, by);
  }
  const rules = '{ rules: [{ id: all, match: { tools: ["victim.*"] }, effect: allow }] }';
  await policies.publishPolicies({ files: [document("Policy", "victims", rules)] }, by);
  await policies.activatePolicies({ choices: [{ policy: "victims" }] }, by);
}

function subjectOf(kind: Kind, victim: Victim): Subject {
  switch (kind) {
    case "agent":
      return { case: "agent", value: victim.agent };
    case "session":
      return { case: "session", value: victim.sessionId };
    case "principal":
      return { case: "principal", value: victim.principal };
    case "tool":
      return { case: "tool", value: victim.tool };
    case "labels":
      return { case: "labels", value: { matchLabels: { ...victim.labels } } };
    case "agent's labels":
      return { case: "labels", value: { matchLabels: { of: victim.agent, ...victim.labels } } };
    case "tenant":
      return { case: "tenant", value: true };
  }
}

/** Whether a way may go on although something was revoked, which it has nothing to do with. */
const isUntouched = (kind: Kind, way: Way): boolean =>
  (kind === "tool" && !["decide", "ask again", "explain"].includes(way)) || (kind === "session" && way === "open");

const bump = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

/** Does something to a member; what comes back undoes it, and resolves when the member serves. */
function befall(befalls: Befalls, member: Member): () => Promise<void> {
  let ended = false;
  void member.serving().ended.then(() => {
    ended = true;
  });
  const serves = async (): Promise<void> => {
    await eventually(async () => ended || (await member.ready()));
    // What took too long for the others was shut out, and is replaced.
    if (ended) await member.start();
  };
  const undo = {
    nothing: () => {},
    paused: () => ended || member.signal("SIGCONT"),
    "its poll cut off": () => member.proxy.resume("toClient"),
    "cut off": () => member.proxy.resume("toClient"),
  }[befalls];
  if (befalls === "paused") member.signal("SIGSTOP");
  if (befalls === "its poll cut off") member.proxy.hold("toClient", "remit-feed");
  if (befalls === "cut off") member.proxy.hold("toClient");
  return async () => {
    undo();
    await serves();
  };
}

type Asks = readonly ReturnType<typeof asker>[];

/** Asks every member in every way without end, until it is stopped. */
function hammer(asks: Asks, victim: Victim, known: readonly string[], note: (asked: Asked) => void) {
  let over = false;
  const loop = async (member: number): Promise<void> => {
    for (let at = 0; !over; at++) {
      const way = WAYS[at % WAYS.length] ?? "decide";
      const asked = await asks[member]?.(way, victim, known[member] ?? "");
      if (asked) note(asked);
    }
  };
  const loops = asks.flatMap((_, member) => Array.from({ length: HAMMERS }, () => loop(member)));
  return async () => {
    over = true;
    await Promise.all(loops);
  };
}

/** Opens the session of a victim, and has every member allow it a call. */
async function newVictim(first: Member, asks: Asks, ownerKey: string, trial: number) {
  const data = createConnectTransport({ baseUrl: `http://${first.httpAddress}`, httpVersion: "1.1" });
  const [agent, principal, runId] = [`agent-${trial % AGENTS}`, `p-${trial}`, `run-${trial}`];
  const labels = { trial: `${trial}` };
  const { session, token } = await createClient(SessionService, data).openSession(
    { agent, labels, runId, onBehalfOf: { case: "principal", value: { id: principal } } },
    bearer(ownerKey),
  );
  const tool = `victim.tool-${trial % AGENTS}`;
  const victim: Victim = { agent, principal, runId, labels, tool, token, sessionId: session?.id ?? "" };
  const known = asks.map((_, member) => `known-${trial}-${member}`);
  for (const [member, ask] of asks.entries()) {
    for (let tries = 0; ; tries++) {
      const { outcome, code } = await ask("ask again", victim, known[member] ?? "");
      if (outcome === "allowed") break;
      if (outcome === "refused" || tries > TRIES_MAX) throw new Error(`a new victim was answered ${code}`);
    }
  }
  return { victim, known };
}

/** Asks every member in every way until each has answered. */
async function askEach(asks: Asks, victim: Victim, known: readonly string[], note: (asked: Asked) => void) {
  const each = asks.flatMap((ask, member) =>
    WAYS.map(async (way) => {
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const asked = await ask(way, victim, known[member] ?? "");
        note(asked);
        if (asked.outcome !== "failed") return;
      }
      throw new Error(`${way} was never answered by member ${member}`);
    }),
  );
  await Promise.all(each);
}

/** Three replicas under load: one revokes, another one is paused or cut off meanwhile, and all are asked throughout. */
export async function revokeUnderLoad({
  runtimeUrl,
  random,
  next,
  say = () => {},
}: RevokingOptions): Promise<Revoking> {
  await using fleet = await startFleet(runtimeUrl);
  const { members, ownerKey } = fleet;
  const [first] = members;
  if (!first) throw new Error("a fleet of nobody");
  await furnish(first, ownerKey);
  const sessions = await openSessions(first, ownerKey, LOAD_CALLERS);
  const isPoison = () => false;
  const load = startLoad({
    ...{ members: members.map(askOver), sessions, random, callers: LOAD_CALLERS, isPoison },
    poisonName: (callId) => callId,
  });
  const asks = members.map((member, at) => asker(member, at, ownerKey));
  const counted = {
    revoked: new Map<string, number>(),
    later: new Map<string, number>(),
    before: new Map<string, number>(),
  };
  const wrong: string[] = [];
  const acknowledgedMs: number[] = [];

  const trial = async (kind: Kind, befalls: Befalls, number: number): Promise<void> => {
    const by = Math.floor(random() * members.length);
    const of = (by + 1 + Math.floor(random() * (members.length - 1))) % members.length;
    const [revoker, other] = [members[by], members[of]];
    if (!revoker || !other) throw new Error("no such member");
    const { victim, known } = await newVictim(first, asks, ownerKey, number);
    const seen: Asked[] = [];
    const note = (asked: Asked) => void seen.push(asked);
    const stop = hammer(asks, victim, known, note);
    // Under way at every member when it happens.
    await eventually(() => members.every((_, at) => seen.filter(({ member }) => member === at).length > WAYS.length));
    const admin = createConnectTransport({ baseUrl: `http://${revoker.adminAddress}`, httpVersion: "1.1" });
    const revocations = createClient(RevocationService, admin);
    const undo = befall(befalls, other);
    const sentAtMs = performance.now();
    const { revocation } = await revocations.revoke(
      { subject: { subject: subjectOf(kind, victim) }, reason: `trial ${number}` },
      bearer(ownerKey),
    );
    const acknowledgedAtMs = performance.now();
    acknowledgedMs.push(acknowledgedAtMs - sentAtMs);
    // Sent while the other member is still away.
    const asked = askEach(asks, victim, known, note);
    await undo();
    await asked;
    await stop();
    const id = revocation?.id ?? "";
    if (kind !== "session") await revocations.lift({ revocationId: id, reason: "over" }, bearer(ownerKey));

    for (const { way, sentAtMs: atMs, outcome, code, member } of seen) {
      const later = atMs > acknowledgedAtMs;
      bump(later ? counted.later : counted.before, `${way}: ${outcome}`);
      const where = `trial ${number}, ${kind}, ${befalls}: ${way} at ${member === of ? "the other" : "a"} member`;
      if (later && outcome === "allowed" && !isUntouched(kind, way)) wrong.push(`${where} was allowed`);
      if (later && outcome === "refused" && isUntouched(kind, way)) wrong.push(`${where} was refused: ${code}`);
      const decided = way === "decide" || way === "ask again" || way === "explain";
      if (outcome === "refused" && decided && !isRevoked(code)) wrong.push(`${where} was refused: ${code}`);
    }
    bump(counted.revoked, `${kind}, ${befalls}`);
  };

  try {
    let number = 0;
    for (let step = next(); step; step = next()) {
      say(`${++number}: ${step.kind}, ${step.befalls}`);
      await trial(step.kind, step.befalls, number);
    }
  } finally {
    await load.stop();
  }
  wrong.push(...load.noted.wrong);
  return { wrong, ...counted, acknowledgedMs, answered: load.noted.received };
}
