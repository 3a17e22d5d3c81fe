import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { LedgerService } from "@remit/proto/admin";
import { SessionService } from "@remit/proto/session";
import pg from "pg";
import { eventually } from "../support/processes.ts";
import { AGENTS, createAdministrator, furnishHouse, type Step, WORKERS } from "./administrator.ts";
import { audit } from "./audit.ts";
import { type Fleet, type Member, startFleet } from "./fleet.ts";
import { auditObeyed, type Entry } from "./obeyed.ts";
import type { Restartable } from "./restartable.ts";
import { type Bar, type Change, SUSPENDED, TOOLS } from "./timeline.ts";
import { type Asking, bearer, metadataOf, POLLS, type Questions, startQuestions } from "./told.ts";
import { recovered, type Scene, befall as tormented } from "./torment.ts";

/** What befalls the replicas while things change. */
export const MISHAPS = [
  "Postgres restarted",
  "connections ended",
  "its poll swallowed",
  "paused for a moment",
  "paused until shut out",
  "cut off for a moment",
  "killed",
  "restarted",
] as const;
export type Mishap = (typeof MISHAPS)[number];

export interface Together {
  readonly wrong: readonly string[];
  readonly changes: ReadonlyMap<string, number>;
  readonly mishaps: ReadonlyMap<Mishap, number>;
  readonly errors: ReadonlyMap<string, number>;
  /** Answers that were held against the ledger and against what was in force. */
  readonly checked: number;
  readonly allowed: number;
  /** Of them, those that named the revision of the newest change. */
  readonly named: number;
  readonly delegated: number;
  /** The most polls after which a member still decided by what was before a change. */
  readonly pollsSeen: number;
}

export interface TogetherOptions {
  readonly postgres: Restartable;
  readonly random: () => number;
  /** The least number of changes. */
  readonly changes: number;
  /** What befalls which member next; null when it is enough. */
  readonly next: () => { readonly mishap: Mishap; readonly member: number } | null;
  readonly say?: (line: string) => void;
}

const CALLERS = 16;
const SESSIONS = 12;
const ANSWERS_A_CHANGE = 12;
/** What a slow machine needs to load a change, or to find Postgres again: what is older is refused for its age. */
const POLLS_MAX = 40;
const SWALLOWED_ANSWERS = 150;

export async function withSuperuser<Value>(url: string, use: (client: pg.Client) => Promise<Value>): Promise<Value> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const dataOf = ({ httpAddress }: Member): Transport =>
  createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" });

/** Sessions of every agent for several principals; every second one is delegated to a worker, and asked in there. */
async function openAsking(first: Member, ownerKey: string): Promise<(Asking & { readonly delegated: boolean })[]> {
  const sessions = createClient(SessionService, dataOf(first));
  const by = bearer(ownerKey);
  const opened = Array.from({ length: SESSIONS }, async (_, at) => {
    const [agent, worker, principal] = [AGENTS[at % 3] ?? "", WORKERS[Math.floor(at / 4) % 3] ?? "", `p-${at % 4}`];
    const root = await sessions.openSession(
      { agent, onBehalfOf: { case: "principal", value: { id: principal } }, scope: { tools: ["load.*"], maxDepth: 2 } },
      by,
    );
    const rootId = root.session?.id ?? "";
    const delegated = at % 2 === 1;
    const child = delegated
      ? await sessions.delegate(
          { agent: worker, scope: { tools: ["load.*"] } },
          { headers: { ...by.headers, "remit-session": root.token } },
        )
      : undefined;
    const links = [{ agent, id: rootId }, ...(child ? [{ agent: worker, id: child.session?.id ?? "" }] : [])];
    const against = (tool: string): Bar[] => [
      ...["tenant", `principal:${principal}`, `tool:${tool}`, `${SUSPENDED}${tool}`],
      ...links.flatMap(({ agent: name, id }) => [
        ...[`agent:${name}`, `labels:${name}`, `session:${id}`],
        ...(tool === "load.b" ? [`ceiling:${name}`] : []),
      ]),
    ];
    const token = child?.token ?? root.token;
    return { sessionId: rootId, metadata: metadataOf(ownerKey, token), against, delegated };
  });
  return Promise.all(opened);
}

/** Makes changes one after another, each until it is made, at members that nothing befalls. */
function createMaking({ members }: Fleet, superuserUrl: string, isAway: (member: Member) => boolean) {
  const changes: Change[] = [];
  const errors = new Map<string, number>();
  let begun = 0;
  const counters = () =>
    withSuperuser(superuserUrl, async (client) => {
      const { rows } = await client.query<Record<"security" | "policy", string>>(
        "select security, policy from revision",
      );
      if (rows.length !== 1) throw new Error("more than one tenant");
      return { security: BigInt(rows[0]?.security ?? 0), policy: BigInt(rows[0]?.policy ?? 0) };
    }).catch(() => undefined);
  const known = async () => {
    let read = await counters();
    await eventually(async () => {
      read ??= await counters();
      return read !== undefined;
    });
    return read as NonNullable<typeof read>;
  };
  let turn = 0;
  const make = async ({ name, after, make: ask }: Step): Promise<void> => {
    const before = changes.at(-1) ?? (await known());
    begun = changes.length + 1;
    for (;;) {
      await eventually(() => members.some((member) => !isAway(member)));
      const healthy = members.filter((member) => !isAway(member));
      const by = healthy[turn++ % healthy.length] ?? members[0];
      const made = await ask(by as Member).then(
        (digest) => ({ digest }),
        (error: unknown) => {
          const told = error instanceof Error ? error.message : "unknown";
          errors.set(told, (errors.get(told) ?? 0) + 1);
          return undefined;
        },
      );
      const polls = members.map(({ proxy }) => proxy.answered(POLLS));
      const now = await known();
      // Whatever became of the answer: nobody else moves the counters.
      if (now.security + now.policy > before.security + before.policy) {
        changes.push({ name, after, ...now, polls, ...(made?.digest && { digest: made.digest }) });
        return;
      }
      if (made && name !== "at first") throw new Error(`${name} was acknowledged, and moved no counter`);
      if (made) return void changes.push({ name, after, ...now, polls });
    }
  };
  return { changes, errors, begun: () => begun, make };
}

/** Every decision in the ledger, as its administrators see it. */
async function readEntries(first: Member, ownerKey: string): Promise<Map<string, Entry[]>> {
  const transport = createConnectTransport({ baseUrl: `http://${first.adminAddress}`, httpVersion: "1.1" });
  const ledger = createClient(LedgerService, transport);
  const entries = new Map<string, Entry[]>();
  for (let pageToken = ""; ; ) {
    const page = await ledger.listDecisions({ pageSize: 100, pageToken }, bearer(ownerKey));
    for (const { id, epoch, n, body } of page.decisions) {
      const said = body as unknown as {
        effect: string;
        rules: { rule: string }[];
        policy_digest: string;
        revision: { security: string; policy: string };
      };
      const entry: Entry = {
        ...{ epoch, n, allowed: said.effect === "allow", rules: said.rules.map(({ rule }) => rule) },
        ...{
          digest: said.policy_digest,
          security: BigInt(said.revision.security),
          policy: BigInt(said.revision.policy),
        },
      };
      entries.set(id, [...(entries.get(id) ?? []), entry]);
    }
    pageToken = page.nextPageToken;
    if (pageToken === "") return entries;
  }
}

/** Lets one thing befall one member, or all of them; the members serve again when it resolves. */
async function befall(mishap: Mishap, postgres: Restartable, members: readonly Member[], scene: Omit<Scene, "client">) {
  const { victim, others } = scene;
  const inScene = <Value>(use: (scene: Scene) => Promise<Value>) =>
    withSuperuser(postgres.superuserUrl, (client) => use({ ...scene, client }));
  switch (mishap) {
    case "Postgres restarted":
      await postgres.restart();
      return inScene(async (whole) => {
        for (const member of members) await recovered({ ...whole, victim: member }, mishap);
      });
    case "connections ended":
      return inScene(async (whole) => {
        await whole.client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name like 'remit-%'`,
        );
        for (const member of members) await recovered({ ...whole, victim: member }, mishap);
      });
    case "its poll swallowed":
      victim.proxy.hold("toClient", POLLS);
      await others(SWALLOWED_ANSWERS);
      victim.proxy.resume("toClient");
      return inScene((whole) => recovered(whole, mishap));
    default:
      return inScene((whole) => tormented(mishap, whole));
  }
}

const BARS: readonly Bar[] = [
  ...["tenant", ...TOOLS.flatMap((tool) => [`${SUSPENDED}${tool}`, `tool:${tool}`])],
  ...[...AGENTS, ...WORKERS].flatMap((agent) => [`agent:${agent}`, `ceiling:${agent}`, `labels:${agent}`]),
  ...["p-0", "p-1", "p-2", "p-3"].map((id) => `principal:${id}`),
];
/** Sessions that may be revoked, which is for good. */
const SESSIONS_REVOKED = 2;

const bump = <Name>(counts: Map<Name, number>, name: Name) => counts.set(name, (counts.get(name) ?? 0) + 1);

/** Three replicas on one Postgres, asked and changed without end while one thing after another befalls them. */
export async function changeTogether(options: TogetherOptions): Promise<Together> {
  const { postgres, random, next, say = () => {} } = options;
  await using fleet = await startFleet(postgres.runtimeUrl);
  const { members, ownerKey } = fleet;
  const [first] = members;
  if (!first) throw new Error("a fleet of nobody");
  const away = new Set<Member>();
  const making = createMaking(fleet, postgres.superuserUrl, (member) => away.has(member));
  await making.make(await furnishHouse(first, ownerKey));
  const sessions = await openAsking(first, ownerKey);
  const questions: Questions = startQuestions({
    ...{ members, sessions, random, callers: CALLERS, changes: making.changes, begun: making.begun },
  });
  const wrong: string[] = [];
  const counted = { changes: new Map<string, number>(), mishaps: new Map<Mishap, number>() };
  const total = () => members.reduce((sum, _, at) => sum + questions.answered(at), 0);

  let over = false;
  const revocable = sessions.slice(0, SESSIONS_REVOKED).map(({ sessionId }) => `session:${sessionId}`);
  const administrator = createAdministrator(ownerKey, random, [...BARS, ...revocable]);
  const administer = async () => {
    for (let made = 0; !over || made < options.changes; made++) {
      const now = making.changes.at(-1)?.after;
      if (!now) throw new Error("nothing is in force");
      const step = administrator(now);
      await making.make(step);
      bump(counted.changes, step.name);
      const enough = total() + ANSWERS_A_CHANGE;
      await eventually(() => total() >= enough);
    }
  };
  const torment = async () => {
    for (let step = next(); step; step = next()) {
      const { mishap, member: at } = step;
      const victim = members[at];
      if (!victim) throw new Error(`no member ${at}`);
      say(`${mishap}: ${victim.name}`);
      const answeredByOthers = () => total() - questions.answered(at);
      const others = async (answers: number) => {
        const enough = answeredByOthers() + answers;
        await eventually(() => answeredByOthers() >= enough);
      };
      away.add(victim);
      const probe = () => Promise.reject(new Error("nobody asks"));
      await befall(mishap, postgres, members, { victim, probe, others, wrong, shutOutMs: [] });
      away.delete(victim);
      const before = questions.answered(at);
      await eventually(() => questions.answered(at) > before);
      bump(counted.mishaps, mishap);
    }
    over = true;
  };
  await Promise.all([administer(), torment()]);
  await questions.stop();

  const { told } = questions;
  const entries = await readEntries(first, ownerKey);
  const found = auditObeyed({ changes: making.changes, told, entries, pollsMax: POLLS_MAX });
  wrong.push(...questions.wrong, ...found.wrong);
  wrong.push(...(await withSuperuser(postgres.superuserUrl, (client) => audit(client, told))));
  const delegatedFrom = new Set(
    sessions.filter(({ delegated }) => delegated).map(({ against }) => `${against("load.a")}`),
  );
  return {
    ...{ wrong, ...counted, pollsSeen: found.pollsSeen, checked: told.length },
    errors: new Map([...questions.errors, ...making.errors]),
    allowed: told.filter(({ allowed }) => allowed).length,
    named: told.filter(({ minRevision }) => minRevision > 0n).length,
    delegated: told.filter(({ against }) => delegatedFrom.has(`${against}`)).length,
  };
}
