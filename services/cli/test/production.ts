import { randomBytes } from "node:crypto";
import { type Announced, type Ended, remit, type StartOptions, start } from "./remit.ts";

/** How a build of `remit` did in production mode, from an empty database to its end. */
export interface Shift {
  readonly migrated: Ended;
  /** The status of /readyz once it said that it is ready. */
  readonly ready: number;
  readonly applied: Ended;
  readonly decided: Ended;
  readonly reported: Ended;
  /** The service itself, after SIGTERM. */
  readonly served: Ended;
}

interface ShiftOptions extends StartOptions {
  readonly postgres: { readonly ownerUrl: string; readonly runtimeUrl: string };
  /** The demo's documents, as the build finds them. */
  readonly documents: string;
}

const anyPort = "127.0.0.1:0";

/** Migrates, serves, registers the demo's documents, decides and reports one call, and stops. */
export async function workInProduction({ postgres, documents, ...how }: ShiftOptions): Promise<Shift> {
  const given = how.env ?? {};
  const migrated = await remit(["migrate"], { ...how, env: { ...given, REMIT_MIGRATION_URL: postgres.ownerUrl } });
  const service = start(["serve", "--json", "--log-level", "warn"], {
    ...how,
    env: {
      ...given,
      REMIT_MODE: "production",
      REMIT_DATABASE_URL: postgres.runtimeUrl,
      REMIT_KEY_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      REMIT_HTTP_ADDRESS: anyPort,
      REMIT_GRPC_ADDRESS: anyPort,
      REMIT_ADMIN_ADDRESS: anyPort,
      REMIT_METRICS_ADDRESS: anyPort,
    },
  });
  const at = JSON.parse((await service.says("\n")).split("\n")[0] ?? "") as Announced;
  const ready = (await fetch(`http://${at.metricsAddress}/readyz`)).status;

  const env: Record<string, string> = {
    ...given,
    REMIT_ADDRESS: at.grpcAddress,
    REMIT_ADMIN_ADDRESS: at.adminAddress,
    REMIT_API_KEY: at.bootstrapKey ?? "",
  };
  const ask = (...args: string[]) => remit(args, { ...how, env });
  const applied = await ask("apply", "-f", documents);
  const opened = await ask("session", "open", "bookkeeper", "--principal", "ada@acme.example", "--json");
  env.REMIT_SESSION = (JSON.parse(opened.stdout) as { token: string }).token;
  const input = JSON.stringify({ to: "Nile Trading", amount: 40, currency: "EUR", memo: "invoice 2041" });
  const decided = await ask("decide", "payments.transfer", "--constraint", "timeout", "--input", input, "--json");
  const { decisionId } = JSON.parse(decided.stdout) as { decisionId: string };
  const reported = await ask("report", decisionId, "--outcome", "succeeded");

  service.child.kill("SIGTERM");
  return { migrated, ready, applied, decided, reported, served: await service.ended };
}
