import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { JsonObject } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { Session_State } from "@remit/proto/session";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningPdp, settableClock, startPdp } from "../../src/index.ts";
import { migrate, schemaRange } from "../../src/stores/migrate.ts";
import { failure, testConfig } from "../support/pdp.ts";
import type { TestDatabase } from "../support/test-database.ts";
import { againNow, COSTS_NOTHING, freshNow, reportedNow, withCosts } from "./changed-since.ts";
import { type Clients, clientsAt, speaks } from "./clients.ts";
import { byCall, byReport, verdicts } from "./comparable.ts";
import { type Kept, keptSchemas, readKept } from "./kept.ts";
import { restoredDatabase } from "./restored.ts";
import { type Answers, askAll, askedThen } from "./story.ts";
import { asked, call, createTeller, type Tale, type Teller } from "./teller.ts";

const launcher = fileURLToPath(new URL("../../../cli/bin/remit.js", import.meta.url));
const run = promisify(execFile);

describe.each(await keptSchemas())("a database that the build of schema %i had used", (schema) => {
  let kept: Kept;
  let database: TestDatabase;
  let applied: readonly string[];
  let pdp: RunningPdp;
  let clients: Clients;
  let teller: Teller;
  let answers: Answers;

  beforeAll(async () => {
    kept = await readKept(schema);
    const { tale, keyEncryptionKey, answeredAtMs } = kept.story;
    database = await restoredDatabase(kept.database);
    ({ applied } = await migrate({ url: database.ownerUrl }));
    const config = testConfig(database.runtimeUrl, { keyEncryptionKey });
    // The moment in which the old build gave its answers: what lived then lives.
    pdp = await startPdp({ config, clock: settableClock(answeredAtMs) });
    clients = clientsAt(pdp);
    teller = createTeller(clients, structuredClone(tale));
    answers = await askAll(clients, tale, askedThen(kept.story, "anew"), answeredAtMs);
  });

  afterAll(async () => {
    await pdp.close();
    await database.drop();
  });

  test("migrates once, and has nobody's first key to give", async () => {
    expect(applied).toHaveLength(schemaRange.max - schema);
    expect(await migrate({ url: database.ownerUrl })).toEqual({ applied: [], version: schemaRange.max });
    expect(pdp.bootstrapKey).toBeUndefined();
  });

  test("answers every call that was decided as the build that decided it", () => {
    const before = byCall(againNow(schema, kept.story));
    expect(Object.keys(before).length).toBeGreaterThan(50);
    expect(byCall(answers.again)).toMatchObject(before);
  });

  test("answers every report that was made as the build that took it", () => {
    const before = byReport(reportedNow(schema, kept.story));
    expect(Object.keys(before).length).toBeGreaterThan(30);
    expect(byReport(answers.reportedAgain)).toMatchObject(before);
  });

  test("decides fresh calls as before, under the same policies", () => {
    const before = verdicts(freshNow(schema, kept.story, kept.database));
    const effects = new Set(kept.story.answers.fresh.map(({ answer }) => answer.effect));
    expect(effects.size).toBe(5);
    expect(verdicts(answers.fresh)).toMatchObject(before);
  });

  test("decides every one of them as before, once each says what it costs", async () => {
    const apart: Tale = { ...structuredClone(kept.story.tale), calls: [], reports: [] };
    const { ask } = createTeller(clients, apart);
    const { books, flights } = withCosts(askedThen(kept.story, "costed"));
    for (const request of books) await ask("today", request);
    for (const request of flights) await ask("flights", request);
    expect(verdicts(apart.calls)).toMatchObject(verdicts(kept.story.answers.fresh));
  });

  test("has every entry, and each has the digest of its text", () => {
    // What is reported again stands behind what was reported then.
    const then = Object.entries(answers.entries).map(([id, { decision, reports = [] }]) => {
      const { length } = (kept.story.answers.entries[id]?.reports ?? []) as JsonObject[];
      return [id, { decision, ...(length > 0 && { reports: (reports as JsonObject[]).slice(0, length) }) }];
    });
    expect(Object.fromEntries(then)).toMatchObject(kept.story.answers.entries);
    const entries = Object.values(answers.entries).flatMap(({ decision, reports = [] }) => [
      decision as JsonObject,
      ...(reports as JsonObject[]),
    ]);
    expect(entries.length).toBeGreaterThan(100);
    for (const { canonical, digest } of entries) {
      const text = `remit/entry/v1\n${canonical}`;
      expect(digest).toBe(`sha256:${createHash("sha256").update(text).digest("hex")}`);
    }
  });

  test("lists what was registered", () => {
    const { callers, ...lists } = kept.story.answers.lists;
    expect(answers.lists).toMatchObject(lists);
    // A migration may give a caller a role that is new, and never takes one.
    const known = (callers.callers as JsonObject[]).map(({ roles = [], ...caller }) => ({
      ...caller,
      ...((roles as string[]).length > 0 && { roles: expect.arrayContaining(roles as string[]) }),
    }));
    expect(answers.lists.callers.callers).toMatchObject(known);
  });

  test("takes reports on calls that were decided before, and those calls do not run again", async () => {
    const told = kept.story.tale.calls.filter(({ request }) => /^to-be-reported/.test(String(request.callId)));
    expect(told).toHaveLength(3);
    for (const { session, request, answer } of told) {
      const { decisionId, effectiveInputDigest } = asked.answer(answer);
      const { callId } = asked.request(request);
      const subject = callId.endsWith("by-call")
        ? { case: "callId" as const, value: callId }
        : { case: "decisionId" as const, value: decisionId };
      const report = { subject, outcome: Outcome.SUCCEEDED, inputDigest: effectiveInputDigest };
      const first = await teller.report(session, report);
      expect(first).toMatchObject({ decisionId, replayed: false, outcome: Outcome.SUCCEEDED, inputMatches: true });
      const second = await teller.report(session, { ...report, outcome: Outcome.FAILED });
      expect(second).toMatchObject({ decisionId, replayed: true, outcome: Outcome.SUCCEEDED });
      expect(await teller.ask(session, asked.request(request))).toMatchObject({
        decisionId,
        replayed: true,
        effect: Effect.DENY,
        reason: { code: "already_executed" },
      });
    }
  });

  test("goes on with a call that waited for an answer", async () => {
    const waits = kept.story.answers.again.find(({ request }) => request.callId === "third-no-memo");
    if (!waits) throw new Error("no call waits for an answer");
    const { decisionId } = asked.answer(waits.answer);
    const answers = { case: "answersJson" as const, value: Buffer.from('{"memo":"for the new office"}') };
    const request = { ...asked.request(waits.request), answers };
    const next = await teller.ask(waits.session, request);
    expect(next).toMatchObject({ attempt: 2, replayed: false, effect: Effect.ALLOW });
    expect(next.decisionId).not.toBe(decisionId);
    expect(await teller.ask(waits.session, request)).toMatchObject({ decisionId: next.decisionId, replayed: true });
  });

  test("keeps its sessions: tokens, renewals and runs go on, what was closed or revoked does not", async () => {
    const { sessions, keys } = kept.story.tale;
    const { today, done, forgotten } = sessions;
    if (!today || !done || !forgotten || !keys.checkout) throw new Error("the tale lacks a session or a key");
    const read = (callId: string) => call(callId, "invoices.read", { id: "1" }, COSTS_NOTHING);
    expect(await teller.ask("today", read("with-the-old-token"))).toMatchObject({ effect: Effect.ALLOW, attempt: 1 });
    await teller.renew("books");
    expect(await teller.ask("books", read("with-a-new-token"))).toMatchObject({ effect: Effect.ALLOW });
    const by = { headers: speaks(keys.checkout.key) };
    const onBehalfOf = { case: "principal" as const, value: { id: "ada" } };
    const opening = { agent: "bookkeeper", onBehalfOf, runId: today.runId ?? "" };
    expect((await clients.sessions.openSession(opening, by)).session?.id).toBe(today.id);
    const { session } = await clients.sessions.getSession({ sessionId: done.id }, by);
    expect(session?.state).toBe(Session_State.CLOSED);
    const refused = await failure(teller.ask("forgotten", read("with-a-revoked-key")));
    expect(refused).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
  });

  test("tells on the command line why a call was decided", async () => {
    const told = kept.story.tale.calls.find(({ request }) => request.callId === "first-delete");
    const decisionId = String(told?.answer.decisionId);
    const { stdout } = await run(process.execPath, [launcher, "why", decisionId], {
      env: { ...process.env, REMIT_API_KEY: kept.story.tale.keys.owner?.key, REMIT_ADMIN_ADDRESS: pdp.adminAddress },
    });
    const decision = kept.story.answers.entries[decisionId]?.decision as JsonObject;
    expect(stdout).toContain("DENY  customers.delete");
    expect(stdout).toContain(String(decision.digest));
  });
});
