import type { TestProject } from "vitest/node";
import { startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The run's Postgres. Its database `remit` is migrated, never used, and cloned for every test that wants one. */
    remitPostgres: { readonly superuserUrl: string; readonly ownerUrl: string; readonly runtimeUrl: string };
  }
}

/** One Postgres a run, for the project `doors`. Its keeper ends it when a signal keeps the teardown from running. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startEmbedded({ durable: false });
  await migrate({ url: postgres.ownerUrl });
  const { superuserUrl, ownerUrl, runtimeUrl } = postgres;
  project.provide("remitPostgres", { superuserUrl, ownerUrl, runtimeUrl });
  return () => postgres.stop();
}
