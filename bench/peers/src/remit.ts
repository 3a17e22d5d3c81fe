import { clientsOf } from "../../src/remit/clients.ts";
import { openSessions, seed } from "../../src/remit/seed.ts";
import { serveRemit } from "../../src/remit/serve.ts";
import type { Processes } from "../../src/run/processes.ts";
import type { Peer } from "./peer.ts";
import { benchAgent, remitDocuments } from "./remit-documents.ts";
import { remitAllowed, remitPath, remitRequest } from "./remit-messages.ts";
import { suffixOf } from "./w1.ts";

/** A session has at most 64 calls in flight, and a request of eleven actions is eleven of them. */
const sessions = 16;

/** Serves N copies of W1 from the real service with an embedded Postgres of its own on the same core. */
export async function remitPeer(
  processes: Processes,
  core: string | undefined,
  folder: string,
  copies: number,
  version: string,
): Promise<Peer> {
  const served = await serveRemit(processes, core, folder);
  const sets = Array.from({ length: copies }, (_, n) => remitDocuments(suffixOf(n)));
  await seed(clientsOf(served, served.ownerKey), {
    tools: sets.flatMap(({ tools }) => tools),
    agent: benchAgent,
    policies: sets.map(({ policy }) => policy),
  });
  const { callerKey, sessionTokens } = await openSessions(served, benchAgent.metadata.name, sessions);
  return {
    name: "Remit",
    version,
    port: served.grpcPort,
    path: remitPath,
    headers: (_, turn) => [
      ["authorization", `Bearer ${callerKey}`],
      ["remit-session", sessionTokens[turn % sessionTokens.length] ?? ""],
    ],
    encode: remitRequest,
    allowed: remitAllowed,
    inspect: (actions) => (actions === "one" ? "fresh-decision" : "fresh-batch"),
  };
}
