import type { Metadata } from "@grpc/grpc-js";
import type { Client } from "pg";
import { eventually } from "../support/processes.ts";
import type { Answer, AskMember } from "./clients.ts";
import type { Ending, Member } from "./fleet.ts";

/** What a fault is done with. */
export interface Scene {
  readonly victim: Member;
  /** Asks the victim alone, in a session of its own. */
  readonly probe: () => Promise<Answer>;
  /** Resolves when the callers had as many more answers from the other members. */
  readonly others: (answers: number) => Promise<void>;
  /** As the superuser. */
  readonly client: Client;
  readonly wrong: string[];
  /** How long it took until a replica that had gone was shut out, in milliseconds. */
  readonly shutOutMs: number[];
}

const EXIT_UNAVAILABLE = 3;
/** How long a moment is: short of what makes a replica suspected, unless the machine is very slow. */
const MOMENT_ANSWERS = 30;

const isAlive = async ({ client, victim }: Scene): Promise<boolean> => {
  const { rows } = await client.query("select alive from replica where id = $1", [victim.serving().replica]);
  return rows[0]?.alive === true;
};

async function shutOut(scene: Scene): Promise<void> {
  const goneAtMs = performance.now();
  await eventually(async () => !(await isAlive(scene)));
  scene.shutOutMs.push(Math.round(performance.now() - goneAtMs));
}

function expectEnding(scene: Scene, what: string, { code, lastWords }: Ending, expected: number): void {
  if (code !== expected) scene.wrong.push(`${what}: ended with ${code}, not ${expected}: ${lastWords}`);
}

/** A process that was shut out answers nothing that is asked of it from then on, and ends by itself. */
async function silentAndGone(scene: Scene, what: string, comeBack: () => void): Promise<void> {
  await shutOut(scene);
  const probes = Array.from({ length: 20 }, () =>
    scene.probe().then(
      ({ decisionId }) => scene.wrong.push(`${what}: answered ${decisionId} after it was shut out`),
      () => undefined,
    ),
  );
  comeBack();
  expectEnding(scene, what, await scene.victim.serving().ended, EXIT_UNAVAILABLE);
  await Promise.all(probes);
  await scene.victim.start();
}

/** Waits until the victim serves again. One whose moment took too long was shut out, and is replaced. */
export async function recovered(scene: Scene, what: string): Promise<void> {
  const { victim } = scene;
  let ending: Ending | undefined;
  void victim.serving().ended.then((how) => {
    ending = how;
  });
  await eventually(async () => ending !== undefined || (await victim.ready()));
  if (!ending) return;
  expectEnding(scene, what, ending, EXIT_UNAVAILABLE);
  await victim.start();
}

/** Everything that befalls one member while the others serve. At its end the member serves again. */
export const faults = {
  async killed(scene) {
    const { victim } = scene;
    victim.signal("SIGKILL");
    await victim.serving().ended;
    await shutOut(scene);
    await victim.start();
  },

  async restarted(scene) {
    const { victim } = scene;
    victim.signal("SIGTERM");
    expectEnding(scene, "restarted", await victim.serving().ended, 0);
    if (await isAlive(scene)) scene.wrong.push("restarted: a replica that ended in order was left alive");
    await victim.start();
  },

  async "paused for a moment"(scene) {
    scene.victim.signal("SIGSTOP");
    await scene.others(MOMENT_ANSWERS);
    scene.victim.signal("SIGCONT");
    await recovered(scene, "paused for a moment");
  },

  async "paused until shut out"(scene) {
    scene.victim.signal("SIGSTOP");
    await silentAndGone(scene, "paused", () => scene.victim.signal("SIGCONT"));
  },

  async "cut off for a moment"(scene) {
    const { proxy } = scene.victim;
    if (proxy.connections() === 0) scene.wrong.push("cut off for a moment: nothing was connected");
    proxy.refuse(true);
    proxy.cut();
    await scene.others(MOMENT_ANSWERS);
    proxy.refuse(false);
    await recovered(scene, "cut off for a moment");
  },

  async "swallowed by the network until shut out"(scene) {
    const { proxy } = scene.victim;
    proxy.hold("toServer");
    proxy.hold("toClient");
    await silentAndGone(scene, "swallowed", () => {
      proxy.cut("client");
      proxy.resume("toServer");
      proxy.resume("toClient");
    });
  },

  async "acknowledgements lost"(scene) {
    const { proxy } = scene.victim;
    for (let time = 0; time < 5; time++) {
      proxy.hold("toClient");
      await proxy.until(() => proxy.held("toClient") > 0);
      // The backends live on and finish what they were told.
      proxy.cut("client");
      proxy.resume("toClient");
      await scene.others(MOMENT_ANSWERS);
    }
    await recovered(scene, "acknowledgements lost");
  },

  async "backends ended"({ client, others }) {
    for (let time = 0; time < 10; time++) {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like 'remit-writer-%'`,
      );
      await others(MOMENT_ANSWERS);
    }
  },
} satisfies Record<string, (scene: Scene) => Promise<void>>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as FaultName[];

/** Does one fault to one member. */
export async function befall(name: FaultName, scene: Scene): Promise<void> {
  await faults[name](scene);
}

/** Asks one member anew every time. */
export function prober(ask: AskMember, session: Metadata, timeoutMs: number): () => Promise<Answer> {
  let probes = 0;
  const run = Math.random().toString(36).slice(2);
  return () => ask(`probe-${run}-${++probes}`, session, timeoutMs);
}
