import pg from "pg";
import { type EmbeddedOptions, startEmbedded } from "../../src/stores/embedded.ts";

/**
 * A process with a Postgres of its own, for tests that end it in every way. Takes its options as JSON, tells
 * what it started as a line of JSON, throws on a line on its standard input, and on Ctrl-C asks one more question.
 */
const options = JSON.parse(process.argv[2] ?? "{}") as EmbeddedOptions;
process.stdin.once("data", () => {
  throw new Error("asked to crash");
});
process.once("SIGINT", async () => {
  const client = new pg.Client({ connectionString: postgres.runtimeUrl });
  await client.connect();
  const { rows } = await client.query("select 'drained' as word");
  await client.end();
  await postgres.stop();
  process.stdout.write(`${rows[0].word}\n`, () => process.exit(0));
});
const postgres = await startEmbedded(options).catch((cause: { reason?: string; message: string }) => {
  process.stdout.write(`${JSON.stringify({ failed: cause.reason, message: cause.message })}\n`, () => process.exit(1));
  return new Promise<never>(() => {});
});
const { pid, socketDir, runtimeUrl, ownerUrl } = postgres;
process.stdout.write(`${JSON.stringify({ pid, socketDir, runtimeUrl, ownerUrl })}\n`);
