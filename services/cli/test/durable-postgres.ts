import { startEmbedded } from "../../pdp/src/stores/embedded.ts";
import { pgProxy } from "../../pdp/test/support/pg-proxy.ts";

/**
 * A Postgres of a test's own that keeps what it acknowledged, as production mode wants it. It is reached over TCP on
 * this machine, so by any user. Gone at the end of the scope.
 */
export async function durablePostgres() {
  const postgres = await startEmbedded({ durable: true });
  const [owner, runtime] = await Promise.all([pgProxy(postgres.ownerUrl), pgProxy(postgres.runtimeUrl)]);
  return {
    ownerUrl: owner.url,
    runtimeUrl: runtime.url,
    async [Symbol.asyncDispose]() {
      await Promise.all([owner.close(), runtime.close()]);
      await postgres.stop();
    },
  };
}
