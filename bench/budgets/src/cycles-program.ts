import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** What Cycles needs, as it was found. */
export interface CyclesProgram {
  readonly jar: string;
  readonly java: string;
  readonly redisServer: string;
  readonly redisCli: string;
  /** Of Java and of Redis, for the result. */
  readonly versions: { readonly java: string; readonly redis: string };
}

const javaMin = 21;

/** Where it comes from. Nothing of it is carried here. */
export const cyclesBuild = {
  repository: "https://github.com/runcycles/cycles-server",
  commit: "5c95791e8d26e9de36f1bfc24cbff60332cfc5c7",
  version: "0.1.25.59",
  command: "mvn -B -Dmaven.test.skip=true -Dmaven.compiler.proc=full clean package",
  jar: "cycles-protocol-service-api/target/cycles-protocol-service-api-0.1.25.59.jar",
} as const;

const howTo = `Cycles is built from its source, by Maven and a JDK of ${javaMin} or later, and runs on Redis:

  git clone ${cyclesBuild.repository} && cd cycles-server
  git checkout ${cyclesBuild.commit}
  cd cycles-protocol-service && ${cyclesBuild.command}

The jar is then ${cyclesBuild.jar}.
Redis: Debian's redis-server and redis-tools. Java: by JAVA_HOME, else from the PATH.`;

const firstLineOf = (text: string) => text.split("\n")[0]?.trim() ?? "";

/** The number after the first quotation mark of what `java -version` says: 21 of "21.0.8". */
function majorOf(version: string): number {
  return Number.parseInt(version.split('"')[1] ?? "", 10);
}

/** Finds the jar and what it runs on; throws one message that names all that is missing and says how to get it. */
export function findCycles(jar: string | undefined, javaHome: string | undefined): CyclesProgram {
  const missing: string[] = [];
  if (jar === undefined) missing.push("the jar of Cycles was not named: --jar FILE");
  else if (!existsSync(jar)) missing.push(`there is no jar ${jar}`);
  const java = javaHome ? join(javaHome, "bin", "java") : "java";
  const javaSays = spawnSync(java, ["-version"], { encoding: "utf8" });
  const javaVersion = firstLineOf(javaSays.stderr ?? "");
  if (javaSays.status !== 0) missing.push(`${java} cannot be run`);
  else if (!(majorOf(javaVersion) >= javaMin)) missing.push(`${java} is ${javaVersion}: too old`);
  const [redisServer, redisCli] = ["redis-server", "redis-cli"];
  const redisSays = spawnSync(redisServer, ["--version"], { encoding: "utf8" });
  for (const [program, { status }] of [
    [redisServer, redisSays],
    [redisCli, spawnSync(redisCli, ["--version"])],
  ] as const)
    if (status !== 0) missing.push(`${program} cannot be run`);
  if (missing.length > 0 || jar === undefined) throw new Error(`${missing.join("\n")}\n\n${howTo}`);
  return { jar, java, redisServer, redisCli, versions: { java: javaVersion, redis: firstLineOf(redisSays.stdout) } };
}
