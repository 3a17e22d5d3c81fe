import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startRestartable } from "./restartable.ts";

/*
 * The part of `small-disk.ts` that runs where the small file system is to be seen. Tells where its Postgres is in a line of
 * JSON, and another after each command that it was given, as a line: restart, kill, fill, free. Ends with its input.
 */

const CHUNK_BYTES = 1024 * 1024;
const directory = process.argv[2] ?? "";
const ballast = join(directory, "ballast");
await using postgres = await startRestartable({ durable: true, dataDir: join(directory, "pg") });
const { runtimeUrl, superuserUrl } = postgres;
const tell = () => {
  const told = { runtimeUrl, superuserUrl, startedAnew: postgres.startedAnew() };
  process.stdout.write(`${JSON.stringify(told)}\n`);
};

/** Writes until not a page is left. */
async function fill(): Promise<void> {
  const file = await open(ballast, "a");
  try {
    for (let bytes = CHUNK_BYTES; bytes >= 1; ) {
      const written = await file.write(Buffer.alloc(bytes)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOSPC") throw error;
        return { bytesWritten: 0 };
      });
      if (written.bytesWritten < bytes) bytes = Math.floor(bytes / 2);
    }
  } finally {
    await file.close();
  }
}

const commands: Readonly<Record<string, () => Promise<void>>> = {
  restart: () => postgres.restart(),
  kill: () => postgres.kill(),
  fill,
  free: async () => {
    await rm(ballast);
    await postgres.revive();
  },
};

tell();
for await (const line of createInterface({ input: process.stdin })) {
  await commands[line]?.();
  tell();
}
