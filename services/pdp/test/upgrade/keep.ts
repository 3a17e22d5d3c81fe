import { randomBytes } from "node:crypto";
import pg from "pg";
import { askedFor } from "../../../../.tools/asked.ts";
import { loadConfig, type RunningPdp, startPdp } from "../../src/index.ts";
import { startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { type BuildProcess, unpackBuild } from "./build-process.ts";
import { bundleBuild } from "./bundle.ts";
import { firstDay, questions, secondDay, thirdDay } from "./chapters.ts";
import { clientsAt } from "./clients.ts";
import { type Dump, dumpDatabase, makePartitions } from "./dump.ts";
import { writeKept } from "./kept.ts";
import { askAll, type Story } from "./story.ts";
import { createTeller, type Tale } from "./teller.ts";

const HELP = `Keeps what the tests of upgrades need of this checkout, under kept/ and the number of its schema: the README.md there says when.

  npm run upgrade:keep
`;

const DAY_MS = 24 * 3600 * 1000;
const keyEncryptionKey = randomBytes(32).toString("base64");
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

async function asOwner<Answer>(url: string, use: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function servedDaysAgo(databaseUrl: string, days: number): Promise<RunningPdp> {
  const nowhere = "127.0.0.1:0";
  const addresses = { httpAddress: nowhere, grpcAddress: nowhere, adminAddress: nowhere, metricsAddress: nowhere };
  const loaded = loadConfig({
    env: {},
    overrides: { ...addresses, mode: "development", databaseUrl, keyEncryptionKey },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return startPdp({ config: loaded.config, clock: { now: () => Date.now() - days * DAY_MS } });
}

/** Postgres has a clock of its own, which nobody can set: the days of what it just recorded are put right afterwards. */
const MOVE = `update record set day = day - $1::int, recorded_at = recorded_at - make_interval(days => $1::int)
  where day = (now() at time zone 'utc')::date`;

const minuteOf = (ms: number): number => Math.floor(ms / 60_000);

type Urls = { readonly ownerUrl: string; readonly runtimeUrl: string };

/** Lets something happen some days ago, in a service of its own. */
async function daysAgo(days: number, urls: Urls, tale: Tale, happens: typeof firstDay): Promise<void> {
  const pdp = await servedDaysAgo(urls.runtimeUrl, days);
  try {
    if (pdp.bootstrapKey !== undefined) tale.keys.owner = { key: pdp.bootstrapKey, callerId: "" };
    const clients = clientsAt(pdp);
    await happens(clients, tale, createTeller(clients, tale));
  } finally {
    await pdp.close();
  }
  await asOwner(urls.ownerUrl, (client) => client.query(MOVE, [days]));
}

async function play(urls: Urls, serve: () => Promise<BuildProcess>): Promise<{ database: Dump; story: Story }> {
  const tale: Tale = { keys: {}, sessions: {}, calls: [], reports: [] };
  const startMs = Date.now();
  await asOwner(urls.ownerUrl, (client) => makePartitions(client, dayOf(startMs - 2 * DAY_MS), dayOf(startMs)));
  await daysAgo(2, urls, tale, firstDay);
  await daysAgo(1, urls, tale, secondDay);
  const cutOff = await serve();
  await thirdDay(createTeller(clientsAt(cutOff), tale));
  await cutOff.kill();
  const asked = await serve();
  const answeredAtMs = Date.now();
  const answers = await askAll(clientsAt(asked), tale, questions("kept"), answeredAtMs);
  await asked.stop();
  // The same word that a call still runs is one within a minute: answers on both sides of one cannot be asked for again.
  if (minuteOf(Date.now()) !== minuteOf(answeredAtMs)) throw new Error("a minute ended meanwhile: run this again");
  const database = await asOwner(urls.ownerUrl, async (client) => {
    // Where it was made is nobody's business.
    await client.query("update replica set host = 'kept'");
    return dumpDatabase(client);
  });
  return { database, story: { tale, answers, answeredAtMs, keyEncryptionKey } };
}

askedFor(HELP, {});
const build = await bundleBuild();
const postgres = await startEmbedded({ durable: false });
try {
  await migrate({ url: postgres.ownerUrl });
  await using unpacked = await unpackBuild(build);
  const { database, story } = await play(postgres, () => unpacked.serve(postgres.runtimeUrl, keyEncryptionKey));
  const sizes = await writeKept({ schema: database.schema, build, database, story });
  const { calls, reports } = story.tale;
  process.stdout.write(`schema ${database.schema}: ${calls.length} calls, ${reports.length} reports\n`);
  for (const { name, rows } of database.tables) process.stdout.write(`  ${name}: ${rows.length} rows\n`);
  for (const [file, bytes] of Object.entries(sizes)) process.stdout.write(`  ${file}: ${bytes} bytes\n`);
} finally {
  await postgres.stop();
}
