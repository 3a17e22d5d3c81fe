import type { Client } from "pg";
import { eventually } from "../support/processes.ts";
import type { Balancer } from "./balancer.ts";
import type { Fleet, Member } from "./fleet.ts";
import type { Operator } from "./operator.ts";
import type { Restartable } from "./restartable.ts";
import type { SmallDisk } from "./small-disk.ts";
import type { Spenders } from "./spenders.ts";
import { withSuperuser } from "./together.ts";
import { faultNames, type prober, recovered, type Scene, befall as tormented } from "./torment.ts";
import type { createTreasurer } from "./treasurer.ts";
import { turnWindows } from "./windows.ts";

/** What befalls replicas, their Postgres and what they say while budgets are spent. */
export const PLAGUES = [
  ...faultNames,
  "Postgres restarted",
  "Postgres killed",
  "a backend killed",
  "connections ended",
  "answers lost",
  "windows turned",
  "holds resolved by hand, replicas killed",
  "disk full",
] as const;
export type Plague = (typeof PLAGUES)[number];

export interface World {
  readonly fleet: Fleet;
  readonly spenders: Spenders;
  readonly treasurer: ReturnType<typeof createTreasurer>;
  readonly operator: Operator;
  readonly balancer: Balancer;
  readonly postgres: Restartable | SmallDisk;
  readonly random: () => number;
  readonly wrong: string[];
  /** Members that something befalls. */
  readonly away: Set<Member>;
  /** Counts what was done. */
  readonly done: (what: string, times?: number) => void;
}

const ANSWERS_A_STEP = 25;
const FAILED_MIN = 60;
const RESOLVED_MIN = 12;
const TURNS = 3;

/** Answers that callers had so far, of whomever. */
export const answersOf = ({ fleet, spenders }: World) =>
  [...fleet.members, null].reduce((sum, _, at) => sum + spenders.answered(at), 0);

const moreAnswers = (world: World, answers = ANSWERS_A_STEP) => {
  const enough = answersOf(world) + answers;
  return eventually(() => answersOf(world) >= enough);
};

const asSuperuser = <Value>({ postgres }: World, use: (client: Client) => Promise<Value>) =>
  withSuperuser(postgres.superuserUrl, use);

/** Waits until every member serves: whoever was shut out is replaced. */
async function allRecovered(world: World, what: string): Promise<void> {
  const probe = () => Promise.reject(new Error("nobody asks"));
  await asSuperuser(world, async (client) => {
    const scene = { client, wrong: world.wrong, shutOutMs: [], others: async () => {}, probe };
    for (const victim of world.fleet.members) await recovered({ ...scene, victim }, what);
  });
}

/** When this Postgres was started, and the processes that record. */
const postmaster = (world: World) =>
  asSuperuser(world, async (client) => {
    const { rows } = await client.query<{ started: string; recording: number[] }>(
      `select pg_postmaster_start_time()::text as started, coalesce((select array_agg(pid) from pg_stat_activity
          where datname = current_database() and application_name like 'remit-writer-%'), '{}') as recording`,
    );
    return rows[0] as (typeof rows)[0];
  });

async function replaced(world: World, plague: Plague, replace: () => Promise<void>): Promise<void> {
  const before = await postmaster(world);
  await replace();
  await allRecovered(world, plague);
  if ((await postmaster(world)).started === before.started) world.wrong.push(`${plague}: it is the same as before`);
}

/** Kills one that records for a replica: Postgres ends all the others and recovers. */
async function killBackend(world: World): Promise<void> {
  let before = await postmaster(world);
  await eventually(async () => {
    before = await postmaster(world);
    return before.recording.length > 0;
  });
  const { started, recording } = before;
  process.kill(recording[Math.floor(world.random() * recording.length)] as number, "SIGKILL");
  await eventually(() =>
    postmaster(world).then(
      (now) => now.recording.length > 0 && !now.recording.some((pid) => recording.includes(pid)),
      () => false,
    ),
  );
  await allRecovered(world, "a backend killed");
  if ((await postmaster(world)).started !== started) world.wrong.push("a backend killed: Postgres was started anew");
}

/** An operator ends holds at all members, two of which are killed meanwhile. */
async function resolveByHand(world: World, scenes: readonly Scene[]): Promise<void> {
  const { operator, away } = world;
  const heard = () => [...operator.words.values()].filter((word) => word.heard).length;
  const enough = heard() + RESOLVED_MIN;
  let isOver = false;
  const resolving = async () => {
    while (!isOver || heard() < enough) await operator.resolveOne();
  };
  const killing = async () => {
    for (const { victim } of scenes) away.add(victim);
    await Promise.all(scenes.map((scene) => tormented("killed", scene)));
    for (const { victim } of scenes) away.delete(victim);
    isOver = true;
  };
  await Promise.all([resolving(), killing()]);
}

/** Closes windows early while calls hold something in them: those are settled in a window that is over. */
async function turn(world: World): Promise<void> {
  let outlived = 0;
  for (let times = 0; times < TURNS || outlived === 0; times++) {
    const turned = await asSuperuser(world, turnWindows);
    outlived += turned.outlived;
    world.done("windows closed", turned.windows);
    world.done("holds that outlived their window", turned.outlived);
    await moreAnswers(world);
  }
}

/** Lets one thing happen; everybody serves again when it resolves. */
export async function befall(world: World, plague: Plague, at: number, probe: ReturnType<typeof prober>) {
  const { fleet, spenders, postgres, balancer, wrong } = world;
  const { members } = fleet;
  const others = async (answers: number) => {
    const heard = () => answersOf(world) - spenders.answered(at);
    const enough = heard() + answers;
    await eventually(() => heard() >= enough);
  };
  const inScene = (use: (scene: Scene) => Promise<void>) =>
    asSuperuser(world, (client) => use({ victim: members[at] as Member, probe, others, client, wrong, shutOutMs: [] }));
  switch (plague) {
    case "Postgres restarted":
      return replaced(world, plague, () => postgres.restart());
    case "Postgres killed":
      return replaced(world, plague, () => postgres.kill());
    case "a backend killed":
      return killBackend(world);
    case "connections ended": {
      const ended = await asSuperuser(world, (client) =>
        client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name like 'remit-%'`,
        ),
      );
      if (ended.rows.length === 0) wrong.push(`${plague}: there was none`);
      return allRecovered(world, plague);
    }
    case "answers lost":
      for (let time = 0; time < 5; time++) {
        balancer.loseAnswers();
        await moreAnswers(world);
      }
      return;
    case "windows turned":
      return turn(world);
    case "holds resolved by hand, replicas killed":
      return inScene(async (scene) => {
        const second = members[(at + 1) % members.length] as Member;
        await resolveByHand(world, [scene, { ...scene, victim: second }]);
      });
    case "disk full": {
      if (!("fill" in postgres)) throw new Error("this Postgres stands on no small disk");
      await postgres.fill();
      const enough = spenders.failed() + FAILED_MIN;
      await eventually(() => spenders.failed() >= enough);
      await postgres.free();
      return allRecovered(world, plague);
    }
    default:
      return inScene((scene) => tormented(plague, scene));
  }
}
