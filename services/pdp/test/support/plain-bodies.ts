import { randomFillSync } from "node:crypto";
import type { Pool } from "pg";
import type { Config } from "../../src/config/index.ts";
import { wrappingKey } from "../../src/foundation/key-wrap.ts";
import { createDataKeys, createSeal, type StoredRecord } from "../../src/ledger/index.ts";
import { createDataKeyStore } from "../../src/stores/data-keys.ts";
import { type TestDatabase, withClient } from "./test-database.ts";

/**
 * The canonical texts of the entries that a condition on `record` selects, in the order they were recorded: read from
 * the tables, past every service, and opened with the configured key.
 */
export async function plainBodies(
  { database, config }: { readonly database: TestDatabase; readonly config: Config },
  where: string,
  values: unknown[] = [],
): Promise<string[]> {
  const { keyEncryptionKey } = config;
  if (!keyEncryptionKey) throw new Error("the configuration holds no key");
  return withClient(database.superuserUrl, async (client) => {
    const keys = createDataKeys({
      store: createDataKeyStore(client as unknown as Pool),
      wrapping: { current: wrappingKey(keyEncryptionKey.reveal()) },
      random: (bytes) => void randomFillSync(bytes),
      newId: () => {
        throw new Error("there is no such key");
      },
      security: () => 0n,
    });
    const { open } = createSeal(keys, () => true);
    const { rows } = await client.query(`select id, tenant, body from record where ${where} order by ord, n`, values);
    const bodies: string[] = [];
    for (const row of rows) bodies.push(Buffer.from((await open(row as StoredRecord)).body).toString());
    return bodies;
  });
}
