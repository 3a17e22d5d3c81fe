import { randomBytes } from "node:crypto";
import pg from "pg";
import { loadConfig, type RunningPdp, startPdp } from "../../services/pdp/src/index.ts";
import { startEmbedded } from "../../services/pdp/src/stores/embedded.ts";
import { migrate } from "../../services/pdp/src/stores/migrate.ts";
import { type Clients, clientsOf } from "../src/remit/clients.ts";

/** A whole service in this process, as it is started to stay, with one agent and a Postgres of its own. */
export interface House {
  readonly pdp: RunningPdp;
  /** The first owner's. */
  readonly key: string;
  readonly clients: Clients;
  /** Has the superuser of its Postgres say something. */
  tell(text: string): Promise<pg.QueryResult>;
  close(): Promise<void>;
}

export const AGENT = "clerk";
const agent = { apiVersion: "remit/v1", kind: "Agent", metadata: { name: AGENT, owner: "ada@example.com" } };
const document = { ...agent, spec: { labels: { team: "finance" }, ceiling: { tools: ["*"] } } };

function configOf(databaseUrl: string) {
  const address = "127.0.0.1:0";
  const loaded = loadConfig({
    env: {},
    overrides: {
      ...{ mode: "development", databaseUrl, keyEncryptionKey: randomBytes(32).toString("base64") },
      ...{ httpAddress: address, grpcAddress: address, adminAddress: address, metricsAddress: address },
      shutdownGraceMs: 500,
    },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const portOf = (address: string) => Number(address.slice(address.lastIndexOf(":") + 1));

/** Commits reach the disk, as they do where the service is used. */
export async function openHouse(): Promise<House> {
  const postgres = await startEmbedded({ durable: true });
  await migrate({ url: postgres.ownerUrl });
  const superuser = new pg.Client({ connectionString: postgres.superuserUrl });
  await superuser.connect();
  const pdp = await startPdp({ config: configOf(postgres.runtimeUrl), breakers: false, warmUp: true });
  const key = pdp.bootstrapKey ?? "";
  const { grpcAddress, httpAddress, adminAddress, metricsAddress } = pdp;
  const ports = {
    ...{ grpcPort: portOf(grpcAddress), httpPort: portOf(httpAddress) },
    ...{ adminPort: portOf(adminAddress), metricsPort: portOf(metricsAddress) },
  };
  const clients = clientsOf({ ...ports, ownerKey: key }, key);
  const { problems } = await clients.agent.putAgent({
    document: { file: "agent.json", text: JSON.stringify(document) },
  });
  if (problems.length > 0) throw new Error(JSON.stringify(problems.map(({ message }) => message)));
  return {
    ...{ pdp, key, clients },
    tell: (text) => superuser.query(text),
    async close() {
      await pdp.close();
      await superuser.end();
      await postgres.stop();
    },
  };
}
