import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { readIgnore } from "./context.ts";
import { lastOf, pairsOf, readStages, type Stage, type Step } from "./dockerfile.ts";

/** Takes the place of a RUN step that cannot or need not run as it stands; answers false to let it run. */
export type StandIn = (command: string, directory: string) => boolean;

export interface RehearsalOptions {
  /** The build context: the root of the repository. */
  readonly context: string;
  /** An empty directory; every stage gets one of its own in it. */
  readonly scratch: string;
  readonly standIn?: StandIn;
  readonly log?: (line: string) => void;
}

/** What an engine would have made of the last stage. */
export interface Image {
  /** Its root directory. */
  readonly root: string;
  /** Entrypoint and command. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** As USER says it. */
  readonly user: { readonly uid: number; readonly gid: number };
}

/** Like the builder: what a directory holds goes into the target; a file goes into a target that ends with a slash. */
function copy(step: Step, from: string, to: string, sent: (path: string) => boolean): void {
  const sources = step.words.slice(0, -1);
  const target = step.words.at(-1) ?? "";
  for (const source of sources) {
    const path = join(from, source);
    const into =
      statSync(path).isFile() && target.endsWith("/") ? join(to, target, basename(source)) : join(to, target);
    cpSync(path, into, { recursive: true, verbatimSymlinks: true, filter: (file) => sent(relative(from, file)) });
  }
}

/** How this machine reaches a registry stays; what the npm that started us, or somebody's Remit, left behind does not. */
function machineEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter(([name]) => !/^(?:npm_|REMIT_|TURBO_|VITEST|NODE_ENV|NODE_OPTIONS)/i.test(name)),
  );
}

function run(step: Step, directory: string, env: Record<string, string>): void {
  const { status } = spawnSync("/bin/sh", ["-c", step.text], {
    cwd: directory,
    env: { ...machineEnvironment(), ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error(`line ${step.line}: ${step.text} ended with ${status}`);
}

function perform(stage: Stage, root: string, options: RehearsalOptions): void {
  const { context, scratch, standIn = () => false, log = () => {} } = options;
  const { ignored, pruned } = readIgnore(readFileSync(join(context, ".dockerignore"), "utf8"));
  const sent = (path: string) =>
    path === "" || !(statSync(join(context, path)).isDirectory() ? pruned(path) : ignored(path));
  const env = pairsOf(stage, "ENV");
  let workdir = "/";
  mkdirSync(root, { recursive: true });
  for (const step of stage.steps) {
    log(`${stage.name} ${step.line}: ${step.keyword} ${step.text}`);
    const directory = join(root, workdir);
    if (step.keyword === "WORKDIR") {
      workdir = step.text;
      mkdirSync(join(root, workdir), { recursive: true });
    } else if (step.keyword === "RUN") {
      if (!standIn(step.text, directory)) run(step, directory, env);
    } else if (step.keyword === "COPY" && step.flags.from !== undefined) {
      copy(step, join(scratch, step.flags.from), step.words.at(-1)?.startsWith("/") ? root : directory, () => true);
    } else if (step.keyword === "COPY") {
      copy(step, context, directory, sent);
    }
  }
}

/**
 * Performs the COPY, RUN and WORKDIR steps of a Dockerfile in a scratch directory, with this machine in the place of the
 * base image: no engine is needed, and paths of RUN steps have to be relative. Throws where a step fails.
 */
export function rehearse(dockerfile: string, options: RehearsalOptions): Image {
  const stages = readStages(dockerfile);
  for (const stage of stages) perform(stage, join(options.scratch, stage.name), options);
  const last = stages.at(-1);
  if (last === undefined) throw new Error("the Dockerfile has no stage");
  const [uid = Number.NaN, gid = Number.NaN] = lastOf(last, "USER").text.split(":").map(Number);
  return {
    root: join(options.scratch, last.name),
    argv: [...lastOf(last, "ENTRYPOINT").words, ...lastOf(last, "CMD").words],
    env: pairsOf(last, "ENV"),
    labels: pairsOf(last, "LABEL"),
    workdir: lastOf(last, "WORKDIR").text,
    user: { uid, gid },
  };
}
