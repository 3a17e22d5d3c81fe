import { expect, test } from "vitest";
import type { NewRecord } from "../ledger/index.ts";
import { openSealing } from "./sealing.ts";

const record: NewRecord = {
  ...{ id: "", tenant: "t", session: "", sessionDay: "", key: new Uint8Array(), request: new Uint8Array() },
  ...{ kind: "decision", securityRevision: 0n, digest: new Uint8Array(), body: Buffer.from("{}") },
};

test("nothing is recorded, sealed or plain, before it is known whether the cell seals", async () => {
  const { seal, heard } = openSealing({
    ...{ store: { pool: {} } as never, wrapping: {} as never, random: () => {}, newId: () => "" },
    ...{ security: () => 0n, onErased: () => {} },
  });
  expect(() => seal.seal(record)).toThrow(expect.objectContaining({ reason: "ledger_unavailable", recorded: "no" }));
  heard({ sealing: false, keysRevision: 0n, engine: undefined });
  expect(await seal.seal(record)).toBe(record);
});
