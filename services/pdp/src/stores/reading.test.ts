import pg from "pg";
import { expect, test } from "vitest";
import { Fault } from "../foundation/fault.ts";
import { reading } from "./reading.ts";

const failing = (error: unknown) => reading({ read: () => Promise.reject(error) }).read();
const away = { kind: "unavailable", reason: "ledger_unavailable" };

const databaseError = (code: string) => Object.assign(new pg.DatabaseError("no", 1, "error"), { code });

test("a read answers what was read", async () => {
  expect(await reading({ read: async (one: number) => one + 1 }).read(1)).toBe(2);
});

test("a store that is away, or is another one than before, is unavailable to whoever reads", async () => {
  await expect(failing(new Error("connect ECONNREFUSED"))).rejects.toMatchObject(away);
  await expect(failing(databaseError("57P01"))).rejects.toMatchObject(away);
  await expect(failing(new Fault("precondition", "cell_changed", "another"))).rejects.toMatchObject(away);
});

test("a refusal and a defect come out as they are", async () => {
  const missing = new Fault("missing", "session_unknown", "no such session");
  await expect(failing(missing)).rejects.toBe(missing);
  const defect = databaseError("42703");
  await expect(failing(defect)).rejects.toBe(defect);
});
