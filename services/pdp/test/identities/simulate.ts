import type { Loaded, Session } from "../../src/identities/index.ts";
import { createKeeping, type Keeping } from "../../src/identities/keeping.ts";
import { createKnownSessions } from "../../src/identities/known-sessions.ts";
import { createScheduler, seeded } from "../ledger/scheduler.ts";
import { createModelStore, type ModelSnapshot } from "./model-store.ts";

/*
 * Who is kept in memory, against a store in which transactions overlap: rows are read, changed and told of in every
 * order that a seed makes. What must hold: whoever is known under a security revision is known with everything that was
 * taken away up to it. The commit refuses what was judged under an older one, so this is what exact revocation rests on.
 */

const TENANT = "t";
const SESSIONS = ["root", "child", "grandchild", "alone"] as const;
const ABOVE: Readonly<Record<string, readonly string[]>> = { child: ["root"], grandchild: ["root", "child"] };
const CALLERS = ["mesh", "gateway"] as const;
const ASKS = 60;
const CHANGES = 5;

/** How it is done. Each has one right way; the others are there to be caught. */
export interface KeepingRules {
  readonly lists: "of the same snapshot as the revision" | "read before the revision";
  readonly overlap: "what the poll before cannot have seen" | "what began after the poll before";
  readonly onTheWay: "noted" | "forgotten";
  readonly revision: "of the moment the row was taken" | "of the moment it is used";
  readonly order: "told, then raised" | "raised, then told";
  readonly above: "told too" | "not told";
  readonly first: "clears" | "clears nothing";
}

export const keepingRules: KeepingRules = {
  lists: "of the same snapshot as the revision",
  overlap: "what the poll before cannot have seen",
  onTheWay: "noted",
  revision: "of the moment the row was taken",
  order: "told, then raised",
  above: "told too",
  first: "clears",
};

type CallerEntry = Loaded<{ readonly tenant: string; readonly id: string; readonly revoked: boolean }>;

function sessionOf(store: ReturnType<typeof createModelStore>, id: string, seen: ModelSnapshot): Session {
  const link = (one: string) => ({ id: one, state: store.stateOf(one, seen), agent: "a", scope: undefined });
  const above = ABOVE[id] ?? [];
  const ancestors = above.map((one) => ({ ...link(one), expiresAtMs: 1 }));
  return { ...link(id), tenant: TENANT, ancestors, depth: above.length } as unknown as Session;
}

export async function simulateKeeping(seed: number, rules: KeepingRules) {
  const random = seeded(seed);
  const scheduler = createScheduler(random, 0.2);
  const { step } = scheduler;
  const store = createModelStore([...SESSIONS, ...CALLERS]);
  const violations: string[] = [];
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;
  /** When each row was revoked, by the revision that did it. */
  const revokedAt = new Map<string, bigint>();
  const underWay = new Set<string>();
  let known = 0n;
  let over = false;
  let asked = 0;
  const polls: (() => void)[] = [];

  const catchUp = () => new Promise<void>((resolve) => polls.push(resolve));
  const keeping: Keeping = createKeeping({ security: () => known, catchUp });
  const reading = async <Row>(id: string, make: (snapshot: ModelSnapshot) => Row): Promise<Loaded<Row>> => {
    underWay.add(id);
    await step("read sent");
    const snapshot = store.snapshot();
    const row = make(snapshot);
    await step("read answered");
    underWay.delete(id);
    count("read");
    return { row, security: store.revisionOf(snapshot) };
  };
  const sessions = createKnownSessions({
    store: {
      session: async (_, id) => ({ ...(await reading(id, (at) => sessionOf(store, id, at))), signers: [] }),
    },
    keeping:
      rules.above === "told too"
        ? keeping
        : { ...keeping, keep: (options) => keeping.keep({ ...options, namesOf: () => [] }) },
    sessionsMax: 3,
  });
  const callers = keeping.keep<CallerEntry>({
    max: 10,
    namesOf: ({ row }) => [row.id],
    raise: ({ row }, security) => ({ row, security }),
  });
  const callerOf = async (id: string) =>
    callers.find(
      `key of ${id}`,
      () => reading(id, (at) => ({ tenant: TENANT, id, revoked: store.stateOf(id, at) === "revoked" })),
      false,
    );

  let horizon = 0n;
  const used = ({ security }: { readonly security: bigint }) =>
    rules.revision === "of the moment the row was taken" || security > horizon ? security : horizon;

  const asker = async (): Promise<void> => {
    while (asked < ASKS) {
      asked++;
      await step("ask");
      const [callerId, sessionId] = [pick(CALLERS), pick(SESSIONS)];
      const caller = await callerOf(callerId);
      const session = await sessions.load(TENANT, sessionId, false);
      if (rules.revision !== "of the moment the row was taken") await step("use");
      const security = [caller ? used(caller) : 0n, used(session)].reduce((a, b) => (a < b ? a : b));
      const living = [
        ...(caller && !caller.row.revoked ? [callerId] : []),
        ...[session.row, ...session.row.ancestors].filter(({ state }) => state === "open").map(({ id }) => id),
      ];
      for (const id of living) {
        const at = revokedAt.get(id);
        if (at !== undefined && at <= security) violations.push(`${id} is alive under ${security}, revoked at ${at}`);
      }
      count(security === known ? "known under the newest" : "known under an older one");
    }
  };
  const changer = async (): Promise<void> => {
    for (let change = 0; change < CHANGES; change++) {
      await step("change begins");
      const id = pick([...SESSIONS, ...CALLERS]);
      if (store.isLocked(id) || revokedAt.has(id)) continue;
      const security = random() < 0.7;
      const xid = store.write(id, security ? "revoked" : "open");
      await step("change written");
      const revision = store.commit(xid, id, security);
      if (security) revokedAt.set(id, revision);
      count(security ? "revoked" : "changed otherwise");
      if (random() < 0.5) known = store.revisionOf(store.snapshot());
    }
  };
  const poller = async (): Promise<void> => {
    let before: ModelSnapshot | undefined;
    while (!over) {
      await step("poll sent");
      const tell = polls.splice(0);
      const listsAt = store.snapshot();
      if (rules.lists === "read before the revision") await step("between the lists and the revision");
      const at = rules.lists === "read before the revision" ? store.snapshot() : listsAt;
      const from = before;
      const include = (xid: number) =>
        from !== undefined &&
        (rules.overlap === "what the poll before cannot have seen" ? !store.visible(xid, from) : xid >= from.xmax);
      const changed = store.changed(listsAt, include);
      const news = { revisions: new Map([[TENANT, { security: store.revisionOf(at) }]]), signers: [] };
      await step("poll answered");
      const told = rules.onTheWay === "noted" ? changed : changed.filter(({ id }) => !underWay.has(id));
      const tellAll = () => {
        if (before === undefined && rules.first === "clears") {
          callers.clear();
          sessions.forget();
        }
        callers.told(new Set(told.map(({ id }) => id)));
        const those = (which: string) => new Set(told.filter(({ state }) => state === which).map(({ id }) => id));
        sessions.told({ open: those("open"), closed: those("closed"), revoked: those("revoked") });
      };
      if (rules.order === "told, then raised") tellAll();
      keeping.raise(news);
      if (rules.order !== "told, then raised") {
        await step("between raised and told");
        tellAll();
      }
      horizon = store.revisionOf(at);
      if (horizon > known) known = horizon;
      count(changed.length > 0 ? "poll with changes" : "poll without");
      before = at;
      for (const resolve of tell) resolve();
    }
  };

  const asking = Promise.all([asker(), asker(), asker(), changer(), changer()]).then(() => {
    over = true;
    for (const resolve of polls.splice(0)) resolve();
  });
  const all = Promise.all([asking, poller()]);
  while (await scheduler.turn());
  await all;
  return { violations, seen };
}
