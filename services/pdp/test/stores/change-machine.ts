import { createHash, hash, randomUUID } from "node:crypto";
import type pg from "pg";

/*
 * Random steps of proposals against the database's guards, beside a model that says which of them it may let through.
 */

/** Numbers in [0, 1) that a seed gives: each the hash of the one before. */
function dice(seed: number): () => number {
  let state = hash("sha256", `changes ${seed}`, "buffer");
  return () => {
    state = hash("sha256", state, "buffer");
    return state.readUInt32BE(0) / 2 ** 32;
  };
}

interface Proposed {
  readonly id: string;
  readonly digest: Buffer;
  readonly by: string;
  readonly was: number;
  readonly becomes: number;
  state: string;
  expired: boolean;
  readonly approvals: Set<string>;
}

interface World {
  readonly tenant: string;
  readonly people: number;
  /** `a` made the key `ka`. */
  readonly callers: ReadonlyMap<string, string>;
  readonly revoked: Set<string>;
  readonly proposals: Proposed[];
  version: number;
}

/** One step: what it does in a transaction of the service's role, whether it may pass, and what it changes if it does. */
interface Step {
  readonly name: string;
  readonly run: (client: pg.Client) => Promise<void>;
  readonly allowed: boolean;
  readonly keep: () => void;
}

const VERSIONS = 3;
const NAMES = ["a", "ka", "b", "c"] as const;
const hands = (name: string) => name.replace(/^k/, "");
let n = 0n;

async function entry(client: pg.Client, tenant: string): Promise<string> {
  const id = randomUUID();
  await client.query(
    `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
     values ((now() at time zone 'utc')::date, 1, $1, 1, $2, $3, 'admin', $4, '')`,
    [++n, id, tenant, Buffer.alloc(32)],
  );
  return id;
}

const activate = (client: pg.Client, { tenant }: World, version: number) =>
  client.query("update active_policy set version = $2 where tenant = $1", [tenant, version]);

async function end(client: pg.Client, { tenant, callers }: World, id: string, as: string, by: string): Promise<void> {
  const sql = "update change set state = $3, ended_by = $4, ended_entry = $5 where tenant = $1 and id = $2";
  await client.query(sql, [tenant, id, as, callers.get(by), await entry(client, tenant)]);
}

function propose(world: World, by: string, becomes: number): Step {
  const { tenant, callers, revoked, version: was } = world;
  const id = randomUUID();
  const row = (version: number) => ({ policy: "p", version });
  const rows = [{ table: "active_policy", was: row(was), becomes: row(becomes) }];
  const request = JSON.stringify({ id, tenant, by: callers.get(by), rows });
  const digest = createHash("sha256").update(`remit/change/v1\n${request}`).digest();
  return {
    name: "propose",
    allowed: !revoked.has(by),
    run: async (client) => {
      await client.query(
        `insert into change (id, tenant, request, digest, proposed_by, expires_at, entry)
         values ($1, $2, $3, $4, $5, now() + interval '1 day', $6)`,
        [id, tenant, request, digest, callers.get(by), await entry(client, tenant)],
      );
    },
    keep: () => {
      const made = { id, digest, by, was, becomes, state: "proposed", expired: false, approvals: new Set<string>() };
      world.proposals.push(made);
    },
  };
}

function approve(world: World, one: Proposed, by: string, stale: boolean): Step {
  const { tenant, callers, revoked } = world;
  const mine = [one.by, ...one.approvals].some((other) => hands(other) === hands(by));
  return {
    name: "approve",
    allowed: one.state === "proposed" && !one.expired && !stale && !mine && !revoked.has(by),
    run: async (client) => {
      const digest = stale ? Buffer.alloc(32, 7) : one.digest;
      await client.query(
        "insert into change_approval (tenant, change, approver, digest, entry) values ($1, $2, $3, $4, $5)",
        [tenant, one.id, callers.get(by), digest, await entry(client, tenant)],
      );
    },
    keep: () => one.approvals.add(by),
  };
}

function apply(world: World, one: Proposed, by: string): Step {
  const living = [...one.approvals].filter((name) => !world.revoked.has(name));
  const agreed = living.length >= world.people - 1 && !world.revoked.has(one.by);
  // What writes nothing asks for nothing; what was agreed to is written only where it is as it was.
  const fits = one.was === world.version || one.becomes === world.version;
  return {
    name: "apply",
    allowed: one.state === "proposed" && !one.expired && agreed && fits,
    run: async (client) => {
      await end(client, world, one.id, "applied", by);
      await activate(client, world, one.becomes);
    },
    keep: () => {
      one.state = "applied";
      world.version = one.becomes;
    },
  };
}

function finish(world: World, one: Proposed, as: "rejected" | "withdrawn" | "expired", by: string): Step {
  const may = as === "rejected" || (as === "withdrawn" ? one.by === by : one.expired);
  return {
    name: as,
    allowed: one.state === "proposed" && may,
    run: (client) => end(client, world, one.id, as, by),
    keep: () => {
      one.state = as;
    },
  };
}

function alone(world: World, version: number): Step {
  return {
    name: "alone",
    allowed: version === world.version,
    run: async (client) => void (await activate(client, world, version)),
    keep: () => {},
  };
}

function nextStep(world: World, random: () => number): Step {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const by = pick(NAMES);
  const version = 1 + Math.floor(random() * VERSIONS);
  const open = world.proposals.filter(({ state }) => state === "proposed");
  // As a rule something that may still happen, now and then something that is over.
  const one = pick(open.length > 0 && random() < 0.8 ? open : world.proposals);
  const what = random();
  if (!one || what < 0.15) return propose(world, by, version);
  if (what < 0.55) return approve(world, one, by, random() < 0.15);
  if (what < 0.85) {
    // Several wait at one time with all the approvals that they need, and the first to be applied moves the world.
    const ready = open.filter(({ approvals }) => approvals.size >= world.people - 1);
    return apply(world, ready.length > 0 && random() < 0.5 ? pick(ready) : one, by);
  }
  if (what < 0.95) return finish(world, one, pick(["rejected", "withdrawn", "expired"] as const), by);
  return alone(world, version);
}

/** What happens without anybody's asking: time runs out, a key ends. */
async function happen(world: World, random: () => number, superuser: pg.Client): Promise<void> {
  const open = world.proposals.filter(({ state, expired }) => state === "proposed" && !expired);
  const one = open[Math.floor(random() * open.length)];
  if (one && random() < 0.08) {
    await superuser.query("update change set expires_at = now() where id = $1", [one.id]);
    one.expired = true;
  }
  const name = NAMES[Math.floor(random() * NAMES.length)] ?? "a";
  if (random() > 0.1) return;
  const revoked = !world.revoked.has(name);
  await superuser.query("update caller set revoked = $2 where id = $1", [world.callers.get(name), revoked]);
  if (revoked) world.revoked.add(name);
  else world.revoked.delete(name);
}

async function begin(superuser: pg.Client, people: number): Promise<World> {
  const tenant = `t-${randomUUID()}`;
  const callers = new Map<string, string>(NAMES.map((name) => [name, randomUUID()]));
  await superuser.query("insert into tenant (id, people) values ($1, $2)", [tenant, people]);
  for (const [name, id] of callers) {
    const maker = name.startsWith("k") ? callers.get(hands(name)) : null;
    await superuser.query("insert into caller (id, tenant, name, created_by, revision) values ($1, $2, $3, $4, 0)", [
      ...[id, tenant, name, maker],
    ]);
  }
  for (let version = 1; version <= VERSIONS; version++) {
    await superuser.query(
      `insert into policy_version (tenant, policy, version, digest, document, source, rules)
       values ($1, 'p', $2, $3, '{}', '', 0)`,
      [tenant, version, Buffer.alloc(32, version)],
    );
  }
  await superuser.query("insert into active_policy (tenant, policy, version, revision) values ($1, 'p', 1, 0)", [
    tenant,
  ]);
  return { tenant, people, callers, revoked: new Set(), proposals: [], version: 1 };
}

async function passes(client: pg.Client, step: Step): Promise<boolean> {
  await client.query("begin");
  try {
    await step.run(client);
    await client.query("commit");
    return true;
  } catch (error) {
    await client.query("rollback");
    // What the guards refuse, and a second approval of the same caller; anything else is a mistake of the simulation.
    if (/^(?:RM00[123]|23505)$/.test((error as { code?: string }).code ?? "")) return false;
    throw error;
  }
}

/** Plays one seed; answers what the database let through or refused against the model, and what passed how often. */
export async function playChanges(seed: number, steps: number, at: { service: pg.Client; superuser: pg.Client }) {
  const random = dice(seed);
  const world = await begin(at.superuser, 2 + (seed % 2));
  const passed = new Map<string, number>();
  for (let step = 0; step < steps; step++) {
    await happen(world, random, at.superuser);
    const next = nextStep(world, random);
    const did = await passes(at.service, next);
    if (did !== next.allowed) return { wrong: `step ${step}: ${next.name} ${did ? "passed" : "was refused"}`, passed };
    if (did) next.keep();
    if (did) passed.set(next.name, (passed.get(next.name) ?? 0) + 1);
    const { rows } = await at.service.query("select version from active_policy where tenant = $1", [world.tenant]);
    if (rows[0]?.version !== world.version) return { wrong: `step ${step}: version ${rows[0]?.version}`, passed };
  }
  return { wrong: undefined, passed };
}
