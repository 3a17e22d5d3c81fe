import { startEmbedded } from "../../pdp/src/stores/embedded.ts";

/** A Postgres of a test's own that keeps what it acknowledged, as production mode wants it. Gone at the end of the scope. */
export async function durablePostgres() {
  const postgres = await startEmbedded({ durable: true });
  const { ownerUrl, runtimeUrl } = postgres;
  return { ownerUrl, runtimeUrl, [Symbol.asyncDispose]: () => postgres.stop() };
}
