import pg from "pg";
import { MICROS_MAX } from "../../src/budgets/books.ts";
import { formatAmount } from "../../src/foundation/amount.ts";
import { CommitFailure, type NewRecord, type RecordOutcome } from "../../src/ledger/index.ts";
import type { Lane } from "../../src/stores/lane.ts";
import { createLedgerWriter } from "../../src/stores/ledger-writer.ts";
import { insertReplica, insertWriter } from "../../src/stores/writer-row.ts";
import { TENANT } from "../ledger/postgres.ts";
import { seeded } from "../ledger/scheduler.ts";
import type { TestDatabase } from "../support/test-database.ts";
import { declare } from "./books.ts";
import { below, type Dice, pick, randomBatch } from "./random-batches.ts";
import { commit, emptyStore, keyOf, openAccount, type StoreState } from "./store-model.ts";

/*
 * The same random batches, limits and freezes on a real Postgres and on the model of its statement. After every step what
 * each record was told, every account and every hold must be the same. Some batches meet in flight: the one is committed
 * only once the other waits for it.
 */

const OTHER = "other";
const HOUR_MS = 3_600_000;

type Edit = (text: string, name: string) => string;

/** A writer on a connection of its own, whose charged statement may be another. */
async function openWriter(url: string, replica: string, edit: Edit) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("set plan_cache_mode = force_generic_plan");
  const epoch = await insertWriter(client, replica);
  const { rows } = await client.query("select pg_backend_pid() as pid");
  const never = new Promise<never>(() => {});
  const counted = { whole: 0, alone: 0, aloneCharged: 0 };
  const lane: Lane = {
    ...{ client, lost: never, gone: () => false, destroy: () => {}, within: (work) => work(client) },
    query: async (config) => {
      const { name = "" } = config;
      const isCharge = name.startsWith("ledger-charge");
      const answer = await client.query(isCharge ? { ...config, text: edit(config.text, name) } : config);
      const [row] = answer.rows;
      if (name.includes("whole") && row?.[4] === true) counted.whole++;
      if (name === "ledger-alone" && row?.[0] !== null) counted.alone++;
      if (name === "ledger-alone" && row?.[0]) counted.aloneCharged++;
      return answer;
    },
    close: () => client.end(),
  };
  const pid = rows[0].pid as number;
  return { client, epoch, pid, counted, writer: createLedgerWriter(lane, epoch, () => {}), base: 0n };
}
type Writer = Awaited<ReturnType<typeof openWriter>>;

const sorted = <Value>(values: readonly Value[], by: (value: Value) => string) =>
  [...values].sort((a, b) => (by(a) < by(b) ? -1 : 1));

/** What a record was told, as text. Of those that were left out, the accounts that did it and what they hold. */
function toldText(told: RecordOutcome): string {
  const { outcome } = told;
  if (outcome === "inserted") {
    const balances = told.balances?.map(
      ({ account, held, posted, overage }) => `${account}=${held}/${posted}/${overage}`,
    );
    return `inserted ${told.ref.n} ${balances?.join(" ") ?? ""}`.trim();
  }
  if (outcome !== "short") return outcome === "reused" ? "existing" : outcome;
  const shorts = told.shorts.map(
    ({ account, why, balance }) => `${account} ${why} ${balance?.limit} ${balance?.frozen} ${balance?.alarm}`,
  );
  return `short: ${sorted(shorts, String).join(", ")}`;
}

/** The model's answers to a batch. */
function play(state: StoreState, batch: readonly NewRecord[], at: { epoch: bigint; base: bigint; nowMs: number }) {
  const before = new Set(batch.filter((record) => state.calls.has(keyOf(record))));
  const told = commit(state, batch, at);
  if (told.failed !== undefined) return { texts: [`failed`], greatest: at.base };
  const texts = batch.map((record) => {
    const n = told.inserted.get(record.id);
    if (n !== undefined) {
      const balances = record.charge && {
        balances: record.charge.moves.flatMap((one) => told.balances.get(one.account) ?? []),
      };
      return toldText({ outcome: "inserted", ref: { epoch: at.epoch, n }, ...balances });
    }
    // A key that is taken is said before everything else.
    if (before.has(record) || state.calls.has(keyOf(record))) return "existing";
    const left = told.left.get(record.id);
    if (left?.why === "short") return toldText({ outcome: "short", shorts: left.shorts });
    return left?.why ?? "nothing";
  });
  return { texts, greatest: at.base + BigInt(told.inserted.size) };
}

async function send({ writer }: Writer, batch: readonly NewRecord[]): Promise<string[]> {
  try {
    return (await writer.commit(batch)).map(toldText);
  } catch (error) {
    if (error instanceof CommitFailure && error.kind === "poisoned") return ["failed"];
    throw error;
  }
}

interface World {
  readonly dice: Dice;
  readonly state: StoreState;
  readonly owner: pg.Client;
  readonly writers: readonly [Writer, Writer];
  /** Whether some accounts have alarms. */
  readonly alarms: boolean;
  security: bigint;
}

const listed = (values: readonly unknown[]) => values.map(String).join(" ");

/** All books and holds, on both sides. */
async function differences({ state, owner }: World): Promise<string[]> {
  const { rows: accounts } = await owner.query(
    "select id, held, posted, overage, ceiling, frozen from account order by id",
  );
  const { rows: holds } = await owner.query(
    `select id, decision, pending, (extract(epoch from expires_at) * 1000)::bigint as ms,
       (select string_agg(x.account || ':' || x.amount, ' ' order by x.account) from unnest(accounts, amounts) x (account, amount)
         where x.amount <> 0) as parts from hold order by id::text`,
  );
  const theirs = [
    ...accounts.map((a) => listed([a.id, a.held, a.posted, a.overage, a.ceiling, a.frozen])),
    ...holds.map((h) => listed([h.id, h.decision, h.pending, h.ms, h.parts ?? ""])),
  ];
  const parts = (amounts: ReadonlyMap<bigint, bigint>) =>
    [...amounts]
      .filter(([, held]) => held !== 0n)
      .sort(([a], [b]) => Number(a - b))
      .map((one) => one.join(":"));
  const ours = [
    ...[...state.accounts.values()].map((a) => listed([a.id, a.held, a.posted, a.overage, a.ceiling, a.frozen])),
    ...sorted([...state.holds.values()], ({ id }) => id).map((h) =>
      listed([h.id, h.decision, h.pending, h.expiresAtMs, parts(h.amounts).join(" ")]),
    ),
  ];
  const most = Math.max(ours.length, theirs.length);
  return Array.from({ length: most }, (_, at) =>
    ours[at] === theirs[at] ? "" : `model ${ours[at]}, store ${theirs[at]}`,
  ).filter(Boolean);
}

const nowPlace = ({ epoch, base }: Writer) => ({ epoch, base, nowMs: Date.now() });

async function commitOne(world: World, writer: Writer): Promise<string[]> {
  const batch = randomBatch(world.dice, world.state, world.security);
  const { texts, greatest } = play(world.state, batch, nowPlace(writer));
  const told = await send(writer, batch);
  writer.base = greatest;
  return told.map((text, at) => (text === texts[at] ? "" : `model ${texts[at]}, store ${text}`)).filter(Boolean);
}

/** Two batches that meet: the second is on its way when the first is committed, and waits for it if it must. */
async function commitTwo(world: World): Promise<string[]> {
  const { dice, state, owner, writers } = world;
  const [first, second] = writers;
  const batches = [randomBatch(dice, state, world.security), randomBatch(dice, state, world.security)] as const;
  await first.client.query("begin");
  const toldFirst = await send(first, batches[0]);
  const failed = toldFirst[0] === "failed";
  if (failed) await first.client.query("rollback");
  const sent: { told?: string[] } = {};
  const coming = send(second, batches[1]).then((told) => {
    sent.told = told;
  });
  const waits = "select cardinality(pg_blocking_pids($1)) > 0 as waits";
  while (!sent.told && !(await owner.query(waits, [second.pid])).rows[0].waits);
  if (!failed) await first.client.query("commit");
  await coming;
  const modelFirst = play(state, batches[0], nowPlace(first));
  const modelSecond = play(state, batches[1], nowPlace(second));
  first.base = modelFirst.greatest;
  second.base = modelSecond.greatest;
  const expected = [...modelFirst.texts, ...modelSecond.texts];
  const told = [...toldFirst, ...(sent.told ?? [])];
  return expected
    .map((text, at) => (text === told[at] ? "" : `in flight: model ${text}, store ${told[at]}`))
    .filter(Boolean);
}

const least = (micros: bigint) => (micros < MICROS_MAX ? micros : MICROS_MAX);

/** Mostly with something left of it. */
function nextLimit(dice: Dice, state: StoreState, name: string): bigint {
  const own = [...state.accounts.values()].filter(({ tenant, budget }) => tenant === TENANT && budget === name);
  const used = own.map(({ held, posted, overage }) => held + posted + overage);
  const most = used.reduce((greatest, one) => (one > greatest ? one : greatest), 0n);
  const limit = BigInt(below(dice, 50)) * dice.grain + (dice.random() < 0.8 ? most : 0n);
  return least(limit);
}

/** An alarm is set, or taken away: mostly one that lets something more in. */
async function setAlarm({ dice, state, owner }: Pick<World, "dice" | "state" | "owner">, name: string): Promise<void> {
  const alarm = dice.random() < 0.3 ? undefined : nextLimit(dice, state, name);
  for (const account of state.accounts.values()) {
    if (account.tenant !== TENANT || account.budget !== name) continue;
    if (alarm === undefined) delete account.alarm;
    else account.alarm = alarm;
  }
  const values = [TENANT, name, alarm === undefined ? null : String(alarm)];
  await owner.query("update account set alarm = $3 where tenant = $1 and budget = $2", values);
}

/** Limits, freezes, alarms and declarations change. */
async function administer({ dice, state, owner, alarms }: World): Promise<void> {
  const name = pick(dice, ["hard", "tight", "soft"]) ?? "hard";
  const row = state.budgets.get(`${TENANT}/${name}`);
  const limit = nextLimit(dice, state, name);
  if (!row) {
    await declareMicros(owner, name, limit);
    state.budgets.set(`${TENANT}/${name}`, { tenant: TENANT, name, limit, frozen: false });
    return;
  }
  const what = dice.random();
  if (alarms && what > 0.6) return setAlarm({ dice, state, owner }, name);
  if (what < 0.05) {
    await owner.query("delete from budget where tenant = $1 and name = $2", [TENANT, name]);
    state.budgets.delete(`${TENANT}/${name}`);
    return;
  }
  if (what < 0.15 || row.frozen) {
    row.frozen = !row.frozen;
    await owner.query("update budget set frozen = $3 where tenant = $1 and name = $2", [TENANT, name, row.frozen]);
    return;
  }
  if (what < 0.4) {
    for (const account of state.accounts.values()) account.frozen = false;
    await owner.query("update account set frozen = false, frozen_at = null, frozen_why = null where frozen");
    return;
  }
  row.limit = limit;
  await declareMicros(owner, name, limit);
}

const declareMicros = (owner: pg.Client, name: string, micros: bigint, tenant = TENANT) => {
  const limit = formatAmount(micros);
  return declare(owner, { name, limit, enforcement: name === "soft" ? "soft" : "hard" }, tenant);
};

/** Budgets, and accounts of all sorts: open, over, not yet open, with a limit of their own, and another tenant's. */
async function furnish(owner: pg.Client, state: StoreState, grain: bigint): Promise<bigint[]> {
  await owner.query("insert into tenant (id) values ($1), ($2)", [TENANT, OTHER]);
  await owner.query("insert into revision (tenant) values ($1), ($2)", [TENANT, OTHER]);
  const open = async (tenant: string, name: string, grains: bigint, keys: readonly string[]) => {
    const micros = least(grains * grain);
    await declareMicros(owner, name, micros, tenant);
    state.budgets.set(`${tenant}/${name}`, { tenant, name, limit: micros, frozen: false });
    const names = keys.map(() => name);
    await owner.query("select remit_open_accounts($1, $2, $3)", [tenant, names, keys]);
  };
  await open(TENANT, "hard", 40n, ["", "a", "over", "early"]);
  await open(TENANT, "tight", 12n, [""]);
  await open(TENANT, "soft", 20n, [""]);
  await open(OTHER, "hard", 40n, [""]);
  await owner.query("update account set closes_at = now() - interval '1 hour' where key = 'over'");
  await owner.query("update account set opens_at = now() + interval '1 day' where key = 'early'");
  await owner.query(
    `insert into account (tenant, session, unit, instance, opens_at, closes_at, own_limit, hard, ceiling)
     values ($1, gen_random_uuid(), 'EUR', sha256('own'), '-infinity', 'infinity', $2, true, $2)`,
    [TENANT, String(least(30n * grain))],
  );
  const { rows } = await owner.query(
    `select id, tenant, budget, key, unit, hard, own_limit, (extract(epoch from opens_at) * 1000)::float8 as opens,
       (extract(epoch from closes_at) * 1000)::float8 as closes from account order by id`,
  );
  for (const row of rows) {
    const { tenant, budget, key, unit, hard, opens: opensAtMs, closes: closesAtMs } = row;
    const ownLimit = row.own_limit === null ? null : BigInt(row.own_limit);
    openAccount(state, { tenant, budget, key, unit, hard, opensAtMs, closesAtMs, ownLimit });
  }
  const ids = rows.map(({ id }) => BigInt(id));
  if (ids.some((id, at) => id !== BigInt(at + 1))) throw new Error("accounts are numbered from 1");
  // The ordinary ones more often, and one that is not there.
  const ordinary = ids.filter((_, at) => [0, 1, 4, 5, 7].includes(at));
  return [...ids, 999n, ...Array.from({ length: 6 }, () => ordinary).flat()];
}

export interface Played {
  readonly steps: number;
  /** Empty, or what differed first. */
  readonly wrong: readonly string[];
  readonly inserted: number;
  /** Batches that were committed in the form for what fits as a whole. */
  readonly whole: number;
  /** Those of one record that were committed in the form for it; and of these, those that charge. */
  readonly alone: number;
  readonly aloneCharged: number;
}

export interface Playing {
  readonly seed: number;
  readonly steps: number;
  readonly edit?: Edit;
  readonly alarms?: boolean;
  /** What amounts are drawn in; one millionth unless something is said. */
  readonly grain?: bigint;
  /** As of the dice; none unless something is said. */
  readonly lone?: number;
  readonly together?: number;
}

/** Plays so many steps in an empty database, until something differs. */
export async function playBeside(
  { ownerUrl, runtimeUrl }: TestDatabase,
  { seed, steps, edit = (text) => text, alarms = false, grain = 1n, lone = 0, together = 1 }: Playing,
): Promise<Played> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  const state = emptyStore();
  const random = seeded(seed);
  const accounts = await furnish(owner, state, grain);
  const replica = "01900000-0000-7000-8000-00000000000f";
  await insertReplica(owner, replica, "test");
  const writers = [await openWriter(runtimeUrl, replica, edit), await openWriter(runtimeUrl, replica, edit)] as const;
  const nowMs = Date.now();
  const dice: Dice = { random, accounts, pastMs: nowMs - HOUR_MS, farMs: nowMs + HOUR_MS, grain, lone, together };
  const world: World = { dice, state, owner, writers, alarms, security: 0n };
  let wrong: string[] = [];
  let step = 0;
  try {
    for (; step < steps && wrong.length === 0; step++) {
      const what = random();
      if (what < 0.15) await administer(world);
      else if (what < 0.16) {
        world.security += 1n;
        state.security.set(TENANT, world.security);
        await owner.query("update revision set security = $2 where tenant = $1", [TENANT, `${world.security}`]);
      } else if (what < 0.5) wrong = await commitTwo(world);
      else wrong = await commitOne(world, random() < 0.5 ? writers[0] : writers[1]);
      wrong = [...wrong, ...(await differences(world))];
    }
  } finally {
    await Promise.all([owner, ...writers.map(({ client }) => client)].map((client) => client.end()));
  }
  const sum = (of: (counted: Writer["counted"]) => number) =>
    writers.reduce((total, { counted }) => total + of(counted), 0);
  return {
    steps: step,
    wrong: wrong.map((line) => `seed ${seed}, step ${step}: ${line}`),
    inserted: state.records.size,
    whole: sum(({ whole }) => whole),
    alone: sum(({ alone }) => alone),
    aloneCharged: sum(({ aloneCharged }) => aloneCharged),
  };
}
