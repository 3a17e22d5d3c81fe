import { randomBytes } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Config } from "../config/index.ts";
import type { CustodyStore } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import { type WrappingKey, type WrappingKeys, wrappingKey } from "../foundation/key-wrap.ts";

const FILE = "key-encryption.key";

/** Reads the key file, or makes it once, for its owner's eyes alone. */
async function keyFile(dataDir: string): Promise<Uint8Array> {
  const path = join(resolve(dataDir), FILE);
  try {
    await mkdir(resolve(dataDir), { recursive: true });
    const file = await open(path, "wx", 0o600);
    try {
      await file.write(`${randomBytes(32).toString("base64")}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const bytes = Buffer.from((await readFile(path, "utf8")).trim(), "base64");
  if (bytes.length === 32) return bytes;
  throw new Fault("precondition", "key_file_damaged", `${path} does not hold a key of 32 bytes`, {
    fix: "restore the file from a backup; with another key no session token of this store can be signed",
  });
}

/** Refuses a store that something is kept in under a key which is not given here: before anything is recorded. */
export async function checkWrapped(store: Pick<CustodyStore, "wrappingKeysInUse">, keys: WrappingKeys): Promise<void> {
  const unknown = (await store.wrappingKeysInUse()).filter((id) => id !== keys.current.id && id !== keys.previous?.id);
  if (unknown.length === 0) return;
  const given = [keys.current.id, keys.previous?.id].filter((id) => id !== undefined).join(" and ");
  throw new Fault(
    "precondition",
    "key_encryption_key_unknown",
    `keys in this database were wrapped by ${unknown.join(" and ")}, the environment holds ${given}`,
    {
      fix: "start with the REMIT_KEY_ENCRYPTION_KEY it was used with, or name it in REMIT_PREVIOUS_KEY_ENCRYPTION_KEY",
    },
  );
}

async function currentKey(config: Config, temporary: boolean): Promise<WrappingKey> {
  if (config.keyEncryptionKey) return wrappingKey(config.keyEncryptionKey.reveal());
  if (temporary) return wrappingKey(randomBytes(32));
  return wrappingKey(await keyFile(config.dataDir));
}

/**
 * The keys that wrap the keys in the store. The current one comes from the configuration; in development from a file
 * beside the embedded Postgres; for what is thrown away it is a new one. There is no default key.
 */
export async function findWrappingKeys(config: Config, temporary: boolean): Promise<WrappingKeys> {
  const { previousKeyEncryptionKey: previous } = config;
  const current = await currentKey(config, temporary);
  return { current, previous: previous && wrappingKey(previous.reveal()) };
}
