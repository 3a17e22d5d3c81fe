import type { Client } from "pg";
import { eventually } from "../support/processes.ts";
import { allPlaced, audit } from "./audit.ts";
import { startBalancer } from "./balancer.ts";
import { auditBooks, overdrawn } from "./books-audit.ts";
import { askOver } from "./clients.ts";
import { type Hear, type Member, startFleet } from "./fleet.ts";
import { readAccounts, readDecisions, readMoves } from "./ledger-read.ts";
import { createOperator, readResolutions, resolvedAsSaid } from "./operator.ts";
import { answersOf, befall, type Plague, type World } from "./plagues.ts";
import { furnishPurses, openPurses, PURSES, type Purse } from "./purse.ts";
import { soundAfter } from "./soundness.ts";
import { startSpenders } from "./spenders.ts";
import { tellerAt } from "./teller.ts";
import { withSuperuser } from "./together.ts";
import { prober } from "./torment.ts";
import { createTreasurer } from "./treasurer.ts";

export interface SpendingTogether {
  readonly wrong: readonly string[];
  readonly plagues: ReadonlyMap<Plague, number>;
  readonly errors: ReadonlyMap<string, number>;
  readonly denials: ReadonlyMap<string, number>;
  /** What callers and the treasurer did. */
  readonly done: ReadonlyMap<string, number>;
  readonly calls: number;
  readonly allowed: number;
  readonly answers: number;
  readonly records: number;
  readonly expired: number;
  readonly corrected: number;
  /** Holds that were ended by hand. */
  readonly resolved: number;
  /** How often all accounts were looked at meanwhile. */
  readonly samples: number;
  readonly accounts: number;
}

export interface SpendingOptions {
  readonly postgres: World["postgres"];
  readonly random: () => number;
  /** What befalls which member next; null when it is enough. */
  readonly next: () => { readonly plague: Plague; readonly member: number } | null;
  readonly say?: (line: string) => void;
  readonly hear?: Hear;
}

const CALLERS = 20;
const SESSIONS = 10;
const BALANCED = 6;
/** What no process may ever say: nobody writes its rows by hand. */
const NEVER_SAID = "rows in the database changed without their revision";
const ANSWERS_A_STEP = 25;
const PROBE_MS = 20_000;
/** How many open holds run out at a time. */
const RUN_OUT = 3;

/** Asks the store something; nothing while it is away. */
const ifThere = <Value>(url: string, use: (client: Client) => Promise<Value>) =>
  withSuperuser(url, use).catch(() => undefined);

/** Lets the time of some open holds be over, at a moment that nobody expects. */
const runOut = (world: World, most: number | null) =>
  ifThere(world.postgres.superuserUrl, (client) =>
    client.query(
      `update hold set expires_at = now() - interval '1 ms' where id in (
         select id from hold where expires_at > now() order by hashtext(id::text || $2) limit $1 for update skip locked)`,
      [most, String(world.random())],
    ),
  );

/** Raises, lowers, freezes and thaws, one thing after another, and lets holds run out, until it is over. */
async function administer(world: World, isOver: () => boolean): Promise<void> {
  const { treasurer, random, postgres } = world;
  const { limits, frozen, setLimit, freeze, thaw, thawAccount } = treasurer;
  const changeable = PURSES.filter(({ name }) => name !== "rare" && name !== "watch");
  const [rare] = PURSES.filter(({ name }) => name === "rare") as [Purse];
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;
  while (!isOver()) {
    const enough = answersOf(world) + ANSWERS_A_STEP;
    await eventually(() => isOver() || answersOf(world) >= enough);
    await runOut(world, RUN_OUT);
    const chance = random();
    const [one] = frozen.keys();
    if (one !== undefined) await thaw(one);
    else if (chance < 0.15) await freeze(pick(changeable));
    else if (chance < 0.3) await setLimit(rare, (limits.get("rare") ?? 0) + 10);
    else if (chance < 0.6) {
      const { name, ...purse } = pick(changeable);
      // Below what is spent already, now and then.
      await setLimit({ name, ...purse }, Math.ceil((limits.get(name) ?? 0) * (0.5 + random() * 1.5)) + 20);
    }
    const tooMuch = await ifThere(postgres.superuserUrl, (client) =>
      client.query<{ id: string }>("select id::text from account where frozen"),
    );
    for (const { id } of tooMuch?.rows ?? []) await thawAccount(id);
  }
  for (const name of [...frozen.keys()]) await thaw(name);
}

/** Looks at all accounts again and again: at no moment is one over. */
async function watch(world: World, isOver: () => boolean): Promise<number> {
  let samples = 0;
  while (!isOver()) {
    const accounts = await ifThere(world.postgres.superuserUrl, readAccounts);
    if (accounts) {
      samples++;
      world.wrong.push(...overdrawn(accounts, world.treasurer.highest).map((line) => `meanwhile: ${line}`));
    }
    const before = answersOf(world);
    await eventually(() => isOver() || answersOf(world) > before);
  }
  return samples;
}

/** Lets callers use up what is counted one by one, until one more is refused. */
async function useUp(world: World): Promise<void> {
  const { postgres, treasurer, spenders } = world;
  for (const purse of PURSES) {
    // Nothing else is to stand in the way of them.
    if (purse.name === "rare" || !purse.hard) continue;
    await treasurer.setLimit(purse, 1_000_000);
  }
  const refused = () => spenders.denials.get("budget_exhausted") ?? 0;
  const before = refused();
  await eventually(async () => {
    const rows = await ifThere(postgres.superuserUrl, readAccounts);
    const frozen = await ifThere(postgres.superuserUrl, (client) =>
      client.query<{ id: string }>("select id::text from account where frozen"),
    );
    for (const { id } of frozen?.rows ?? []) await treasurer.thawAccount(id);
    const isUsedUp = rows?.some(({ budget, held, posted, limit }) => budget === "rare" && held + posted === limit);
    return isUsedUp === true && refused() > before;
  });
}

/** Lets everything run out that nobody ended. */
const rest = (world: World) =>
  eventually(async () => {
    await runOut(world, null);
    const left = await ifThere(world.postgres.superuserUrl, (client) => client.query("select from hold limit 1"));
    return left?.rows.length === 0;
  });

/** What is wrong at the end, by what callers know and by what the store has. */
async function settleAccounts(world: World) {
  const { fleet, spenders, treasurer, operator, postgres } = world;
  const entries = await readDecisions(fleet.members[0] as Member, fleet.ownerKey);
  return withSuperuser(postgres.superuserUrl, async (client) => {
    const records = await readMoves(client);
    const accounts = await readAccounts(client);
    const holds = await client.query<{ n: number }>("select count(*)::int as n from hold");
    const usedUp = new Map([["rare", BigInt(treasurer.limits.get("rare") ?? 0) * 1_000_000n]]);
    const { purchases } = spenders;
    const { highest } = treasurer;
    const resolutions = await readResolutions(client);
    const found = auditBooks({
      ...{ purchases, accounts, records, entries, openHolds: holds.rows[0]?.n ?? -1, usedUp, highest, resolutions },
    });
    await eventually(() => allPlaced(client));
    const ledger = await audit(client, spenders.answers);
    const kinds = await client.query<{ expired: number; corrected: number; records: number }>(
      `select count(*)::int as records, count(*) filter (where kind = 'expiry')::int as expired,
         count(*) filter (where kind = 'report' and exists (
           select from record e where e.kind = 'expiry' and e.subject = r.subject))::int as corrected from record r`,
    );
    const said = resolvedAsSaid(operator.words, resolutions);
    const counts = { accounts: accounts.length, resolved: resolutions.length };
    return { wrong: [...found, ...ledger, ...said], ...counts, ...(kinds.rows[0] as (typeof kinds.rows)[0]) };
  });
}

/** Replicas on one Postgres, asked by many who share budgets, while one thing after another befalls them. */
export async function spendTogether({ postgres, random, next, say = () => {}, hear }: SpendingOptions) {
  const wrong: string[] = [];
  await using fleet = await startFleet(postgres.runtimeUrl, 3, (member, line) => {
    if (line.includes(NEVER_SAID)) wrong.push(`${member} says: ${line}`);
    hear?.(member, line);
  });
  const { members, ownerKey } = fleet;
  const [first] = members;
  if (!first) throw new Error("a fleet of nobody");
  await furnishPurses(first, ownerKey);
  const sessions = await openPurses(first, ownerKey, SESSIONS);
  await using balancer = await startBalancer(members);
  const away = new Set<Member>();
  const healthy = () => members.filter((member) => !away.has(member));
  const treasurer = createTreasurer({ healthy, ownerKey, random, wrong });
  const balanced = Array.from({ length: BALANCED }, () => tellerAt(balancer.address));
  const tellers = [...members.map(({ grpcAddress }) => [tellerAt(grpcAddress)]), balanced];
  const spenders = startSpenders({ tellers, sessions, random, callers: CALLERS, frozen: () => treasurer.frozen });
  const operator = createOperator({ members, ownerKey, random, wrong });
  const done = new Map<string, number>();
  const world: World = {
    ...{ fleet, spenders, treasurer, operator, balancer, postgres, random, wrong, away },
    done: (what, times = 1) => done.set(what, (done.get(what) ?? 0) + times),
  };
  const plagues = new Map<Plague, number>();
  let over = false;
  const torment = async () => {
    for (let step = next(); step; step = next()) {
      const { plague, member: at } = step;
      const victim = members[at] as Member;
      say(`${plague}: ${victim.name}`);
      away.add(victim);
      const probe = prober(askOver(victim), (sessions[0] as (typeof sessions)[0]).metadata, PROBE_MS);
      await befall(world, plague, at, probe);
      away.delete(victim);
      const before = spenders.answered(at);
      await eventually(() => spenders.answered(at) > before);
      await soundAfter(world, plague);
      plagues.set(plague, (plagues.get(plague) ?? 0) + 1);
      if ("fill" in postgres) await ifThere(postgres.superuserUrl, (client) => client.query("checkpoint"));
    }
    over = true;
  };
  const [, , samples] = await Promise.all([torment(), administer(world, () => over), watch(world, () => over)]);
  say("what is counted is used up");
  await useUp(world);
  await spenders.stop();
  say("everything comes to rest");
  await rest(world);
  const late = await spenders.reportLate();
  await rest(world);
  say("the books are audited");
  const { wrong: found, ...counts } = await settleAccounts(world);
  const { purchases } = spenders;
  return {
    ...{ ...counts, plagues, errors: spenders.errors, denials: spenders.denials, samples },
    wrong: [...wrong, ...spenders.wrong, ...found],
    done: new Map([...spenders.done, ...treasurer.done, ...done, ["reported late", late]]),
    calls: purchases.length,
    allowed: purchases.filter(({ answers }) => answers.some(({ allowed }) => allowed)).length,
    answers: spenders.answers.length,
  } satisfies SpendingTogether;
}
