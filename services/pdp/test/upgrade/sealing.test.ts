import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Effect } from "@remit/proto/common";
import { KeyService } from "@remit/proto/keys";
import { expect, test } from "vitest";
import { startPdp } from "../../src/index.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { failure, testConfig } from "../support/pdp.ts";
import { eventually } from "../support/processes.ts";
import { withClient } from "../support/test-database.ts";
import { unpackBuild } from "./build-process.ts";
import { clientsAt, speaks } from "./clients.ts";
import { readKept } from "./kept.ts";
import { restoredDatabase } from "./restored.ts";
import { call, createTeller, type Tale } from "./teller.ts";

/** The last build that cannot read what is sealed. */
const BEFORE_SEALING = 3;

test("beside a build that cannot read sealed entries none is sealed, until an operator says so; then it answers them not at all", async () => {
  const kept = await readKept(BEFORE_SEALING);
  const { keyEncryptionKey } = kept.story;
  const database = await restoredDatabase(kept.database);
  await migrate({ url: database.ownerUrl });
  await using unpacked = await unpackBuild(kept.build);
  const here = await startPdp({ config: testConfig(database.runtimeUrl, { keyEncryptionKey }) });
  const previous = await unpacked.serve(database.runtimeUrl, keyEncryptionKey);
  try {
    const tale: Tale = { keys: structuredClone(kept.story.tale.keys), sessions: {}, calls: [], reports: [] };
    const now = createTeller(clientsAt(here), tale);
    const then = createTeller(clientsAt(previous), tale);
    const owner = { headers: speaks(tale.keys.owner?.key ?? "") };
    const admin = createConnectTransport({ baseUrl: `http://${here.adminAddress}`, httpVersion: "1.1" });
    const keys = createClient(KeyService, admin);
    const onBehalfOf = { case: "principal" as const, value: { id: "ada", labels: { team: "finance" } } };
    const open = (at: typeof now, name: string) => at.open(name, "checkout", { agent: "bookkeeper", onBehalfOf });
    const pay = (id: string) =>
      call(id, "payments.transfer", { to: "Fjord Timber", amount: 7, currency: "EUR", memo: "goods" });
    const isSealed = (id: string) =>
      withClient(database.superuserUrl, async (client) => {
        const { rows } = await client.query("select get_byte(body, 0) = 1 as sealed from record where id = $1", [id]);
        return rows[0]?.sealed as boolean;
      });

    await open(now, "books");
    const plain = await now.ask("books", pay("plain"));
    expect(await isSealed(plain.decisionId)).toBe(false);
    expect(await then.ask("books", pay("plain"))).toMatchObject({ replayed: true, decisionId: plain.decisionId });

    // What the new build signs with a new key the old one verifies, and the other way round.
    await keys.rotateSigningKey({}, owner);
    await open(now, "rotated");
    expect(await then.ask("rotated", pay("rotated"))).toMatchObject({ effect: Effect.ALLOW });
    expect(await then.ask("books", pay("old-token"))).toMatchObject({ effect: Effect.ALLOW });

    await keys.enableSealing({}, owner);
    let asked = 0;
    await eventually(async () => isSealed((await now.ask("books", pay(`sealed-${++asked}`))).decisionId));
    const refused = await failure(then.ask("books", pay(`sealed-${asked}`)));
    expect(refused.code).toBe("Internal");
    expect(await then.ask("books", pay("plain"))).toMatchObject({ replayed: true, decisionId: plain.decisionId });
    const theirs = await then.ask("books", pay("theirs"));
    expect(await isSealed(theirs.decisionId)).toBe(false);
    expect(await now.ask("books", pay("theirs"))).toMatchObject({ replayed: true, decisionId: theirs.decisionId });
  } finally {
    await previous.kill();
    await here.close();
    await database.drop();
  }
});
