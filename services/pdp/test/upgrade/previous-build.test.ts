import { Code, ConnectError } from "@connectrpc/connect";
import { Effect } from "@remit/proto/common";
import { type DecideResponse, Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningPdp, startPdp } from "../../src/index.ts";
import { STILL_LOOKS_MAX } from "../../src/ledger/suspicion.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { allPlaced, audit } from "../faults/audit.ts";
import { failure, testConfig } from "../support/pdp.ts";
import { eventually } from "../support/processes.ts";
import { type TestDatabase, withClient } from "../support/test-database.ts";
import { type BuildProcess, type Unpacked, unpackBuild } from "./build-process.ts";
import { COSTS_NOTHING, freshNow } from "./changed-since.ts";
import { type Clients, clientsAt, speaks } from "./clients.ts";
import { decisions, verdicts } from "./comparable.ts";
import { applyTexts } from "./documents.ts";
import { type Kept, keptSchemas, readKept } from "./kept.ts";
import { restoredDatabase } from "./restored.ts";
import { askedThen } from "./story.ts";
import { call, createTeller, type Tale, type Teller } from "./teller.ts";

/** Only the newest kept build has to run on this schema; older ones may have been left behind by a contraction. */
const newest = Math.max(...(await keptSchemas()));

describe(`the previous build, of schema ${newest}, and this one on one database of this schema`, () => {
  let kept: Kept;
  let database: TestDatabase;
  let unpacked: Unpacked;
  let here: RunningPdp;
  let previous: BuildProcess;
  const sides: Record<"old" | "new", { clients: Clients; teller: Teller }> = {} as never;
  const tale: Tale = { keys: {}, sessions: {}, calls: [], reports: [] };

  beforeAll(async () => {
    kept = await readKept(newest);
    const { keyEncryptionKey } = kept.story;
    database = await restoredDatabase(kept.database);
    await migrate({ url: database.ownerUrl });
    here = await startPdp({ config: testConfig(database.runtimeUrl, { keyEncryptionKey }) });
    Object.assign(tale.keys, kept.story.tale.keys);
    sides.new = { clients: clientsAt(here), teller: createTeller(clientsAt(here), tale) };
    await openSessions(sides.new.teller, "new");
    // The new build was first and has written; the old one comes to what it left.
    for (const request of askedThen(kept.story, "before").books) await sides.new.teller.ask("new-books", request);
    unpacked = await unpackBuild(kept.build);
    previous = await unpacked.serve(database.runtimeUrl, keyEncryptionKey);
    sides.old = { clients: clientsAt(previous), teller: createTeller(clientsAt(previous), tale) };
    await openSessions(sides.old.teller, "old");
  });

  afterAll(async () => {
    await previous.kill();
    await here.close();
    await unpacked[Symbol.asyncDispose]();
    await database.drop();
  });

  const openSessions = async (teller: Teller, by: "old" | "new") => {
    const onBehalfOf = { case: "principal" as const, value: { id: "ada", labels: { team: "finance" } } };
    await teller.open(`${by}-books`, "checkout", { agent: "bookkeeper", onBehalfOf, runId: `${by}-run` });
    await teller.open(`${by}-flights`, "desk", { agent: "airline-agent", onBehalfOf });
    await teller.open(`${by}-short`, "checkout", { agent: "bookkeeper", onBehalfOf });
  };

  const headers = (session: string) => sides.old.teller.headersOf(session);

  const costing = (value: string) => ({ estimate: [{ unit: "EUR", value }] });

  const pay = (callId: string, amount = 7) =>
    call(
      callId,
      "payments.transfer",
      { to: "Fjord Timber", amount, currency: "EUR", memo: "goods" },
      costing(`${amount}.00`),
    );

  const ran = ({ decisionId, effectiveInputDigest }: DecideResponse, outcome: Outcome = Outcome.SUCCEEDED) => ({
    subject: { case: "decisionId" as const, value: decisionId },
    outcome,
    inputDigest: effectiveInputDigest,
  });

  const directions = [
    { first: "old", second: "new" },
    { first: "new", second: "old" },
  ] as const;

  test("the previous build is ready", async () => {
    expect((await fetch(`http://${previous.metricsAddress}/readyz`)).status).toBe(200);
  });

  test.each(["old", "new"] as const)("the %s build decides as the policies in the database say", async (side) => {
    const { teller } = sides[side];
    const from = tale.calls.length;
    const { books, flights } = askedThen(kept.story, side);
    for (const request of books) await teller.ask(`${side}-books`, request);
    for (const request of flights) await teller.ask(`${side}-flights`, request);
    const answers = verdicts(tale.calls.slice(from));
    const before = side === "old" ? kept.story.answers.fresh : freshNow(newest, kept.story, kept.database);
    expect(answers).toMatchObject(verdicts(before));
  });

  test.each(directions)("what the $first build decided the $second one answers again", async ({ first, second }) => {
    const from = tale.calls.length;
    const { books, flights } = askedThen(kept.story, `again${first}`);
    for (const request of books) await sides[first].teller.ask(`${first}-books`, request);
    for (const request of flights) await sides[first].teller.ask(`${first}-flights`, request);
    const made = tale.calls.slice(from);
    const asks = tale.calls.length;
    for (const request of books) await sides[second].teller.ask(`${first}-books`, request);
    for (const request of flights) await sides[second].teller.ask(`${first}-flights`, request);
    const again = tale.calls.slice(asks);
    expect(decisions(again)).toEqual(decisions(made));
    expect(again.filter(({ answer }) => answer.replayed !== true)).toEqual([]);
  });

  test.each(directions)("what the $first build decided is reported to the $second, and both know", async (way) => {
    const session = `${way.first}-books`;
    const [first, second] = [sides[way.first].teller, sides[way.second].teller];
    const paid = await first.ask(session, pay(`reported-${way.first}`));
    expect(await second.report(session, ran(paid, Outcome.RUNNING))).toMatchObject({ replayed: false });
    expect(await second.report(session, ran(paid))).toMatchObject({ replayed: false, inputMatches: true });
    const again = { replayed: true, outcome: Outcome.SUCCEEDED };
    expect(await first.report(session, ran(paid, Outcome.FAILED))).toMatchObject(again);
    for (const teller of [first, second]) {
      expect(await teller.ask(session, pay(`reported-${way.first}`))).toMatchObject({
        decisionId: paid.decisionId,
        effect: Effect.DENY,
        reason: { code: "already_executed" },
      });
    }
  });

  test("a call that the new build was told never came is not allowed by the previous one either", async () => {
    const subject = { case: "callId" as const, value: "never-came" };
    await sides.new.teller.report("old-books", { subject, outcome: Outcome.NOT_EXECUTED });
    const answered = await sides.old.clients.decisions.decide(pay("never-came"), headers("old-books")).then(
      ({ effect }) => (effect === Effect.DENY ? "denied" : "not denied"),
      (error: unknown) => Code[ConnectError.from(error).code],
    );
    // To a build of schema 3 the name stands for something else already.
    expect(answered).toBe(newest === 3 ? "AlreadyExists" : "denied");
    expect(await sides.new.teller.ask("old-books", pay("never-came"))).toMatchObject({ effect: Effect.DENY });
    expect(await sides.old.teller.ask("old-books", pay("after-never-came"))).toMatchObject({ effect: Effect.ALLOW });
  });

  test.each(directions)("an entry of the $first build is read at the $second with its digest", async (way) => {
    const { decisionId } = await sides[way.first].teller.ask(`${way.first}-books`, pay(`read-${way.first}`));
    const [one, other] = await Promise.all(
      [sides[way.first], sides[way.second]].map(({ clients, teller }) =>
        clients.ledger.getDecision({ decisionId }, teller.owner()),
      ),
    );
    expect(one?.decision?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(other?.decision).toEqual(one?.decision);
  });

  test.each(directions)("the $first build's run is the $second one's, and so is its end", async ({ first, second }) => {
    const onBehalfOf = { case: "principal" as const, value: { id: "ada", labels: { team: "finance" } } };
    const by = { headers: speaks(tale.keys.checkout?.key ?? "") };
    const opening = { agent: "bookkeeper", onBehalfOf, runId: `${first}-run` };
    const { session } = await sides[second].clients.sessions.openSession(opening, by);
    expect(session?.id).toBe(tale.sessions[`${first}-books`]?.id);
    const short = `${first}-short`;
    expect(await sides[second].teller.ask(short, pay("before-the-end"))).toMatchObject({ effect: Effect.ALLOW });
    await sides[first].teller.close(short);
    let asks = 0;
    await eventually(async () => {
      const answer = await sides[second].teller.ask(short, pay(`after-the-end-${asks++}`));
      return answer.reason?.code === "session_closed";
    });
  });

  test.each(directions)("a policy that the $first build puts in force the $second one decides by", async (way) => {
    const policy = `apiVersion: remit/v1
kind: Policy
metadata: { name: listing-${way.first}, owner: finance }
spec:
  rules:
    - id: list
      match: { tools: [files.list] }
      effect: allow
`;
    await applyTexts(sides[way.first].clients, tale.keys.owner?.key ?? "", [policy]);
    const list = (at: Teller, callId: string) =>
      at.ask(`${way.second}-books`, call(callId, "files.list", {}, COSTS_NOTHING));
    const ours = await list(sides[way.first].teller, `list-${way.first}-here`);
    const rules = expect.arrayContaining([expect.objectContaining({ policy: `listing-${way.first}` })]);
    expect(ours).toMatchObject({ effect: Effect.ALLOW, rules });
    let asks = 0;
    await eventually(async () => {
      const theirs = await list(sides[way.second].teller, `list-${way.first}-there-${asks++}`);
      return theirs.policyDigest === ours.policyDigest && theirs.effect === Effect.ALLOW;
    });
  });

  test("what this build tries the previous one tries too, and what that puts in force ends it", async () => {
    const text = (effect: string) =>
      `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: tried }
spec: { rules: [{ id: list, match: { tools: [files.list] }, effect: ${effect} }] }\n`;
    const [old, ours] = [sides.old.clients.policies, sides.new.clients.policies];
    const owner = sides.new.teller.owner();
    for (const effect of ["allow", "deny"]) {
      await ours.publishPolicies({ files: [{ file: "p.yaml", text: text(effect) }] }, owner);
    }
    await old.activatePolicies({ choices: [{ policy: "tried", version: 1 }] }, owner);
    const tried = [{ policy: "tried", version: 2 }];
    const { rollouts } = sides.new.clients;
    const { rollout } = await rollouts.startRollout({ choices: tried, shareBasisPoints: 10_000 }, owner);
    const list = (side: "old" | "new", callId: string) =>
      sides[side].teller.ask(`${side}-books`, call(callId, "files.list", {}, COSTS_NOTHING));
    expect(await list("new", "tried-new")).toMatchObject({ effect: Effect.DENY, rollout: { canary: true } });
    let tries = 0;
    await eventually(async () => {
      const { effect, rollout: by } = await list("old", `tried-old-${tries++}`);
      return effect === Effect.DENY && by?.canary === true;
    });
    await old.activatePolicies({ choices: tried }, owner);
    const after = await rollouts.getRollout({ rolloutId: rollout?.id ?? "" }, owner);
    expect(after.rollout?.endedAs).toBe("overtaken");
    const { policies } = await ours.getPolicies({ choices: tried }, owner);
    const by = { name: "owner" };
    expect(policies[0]?.version).toMatchObject({ state: "active", activations: [{ cause: "activated", by }] });
    await ours.rollbackPolicies({ choices: [{ policy: "tried" }] }, owner);
    let asks = 0;
    await eventually(async () => (await list("old", `tried-after-${asks++}`)).effect === Effect.ALLOW);
  });

  test("a key that the new build revokes is refused by the previous one at once", async () => {
    await sides.new.teller.key("passing", ["*"]);
    const opening = { agent: "bookkeeper", onBehalfOf: { case: "principal" as const, value: { id: "ada" } } };
    await sides.old.teller.open("of-passing", "passing", opening);
    await sides.new.teller.revoke("passing");
    const refused = await failure(sides.old.teller.ask("of-passing", pay("too-late")));
    expect(refused).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
  });

  test("the previous build, which may move no counter to be seen by, is not declared dead by this one", async () => {
    const count = (sql: string) =>
      withClient(database.ownerUrl, async (client) => (await client.query(sql)).rows[0]?.count as number);
    // Longer than this build leaves a counter alone that stands still.
    await eventually(
      async () => (await count("select max(beats)::int as count from heartbeat")) > STILL_LOOKS_MAX + 20,
    );
    const metrics = await (await fetch(`http://${here.metricsAddress}/metrics`)).text();
    // One died in the story, and could be seen to if it moved a counter.
    const died = kept.database.tables.find(({ name }) => name === "heartbeat")?.rows.length ?? 0;
    expect(metrics).toContain(`remit_replica_fenced_total ${died}\n`);
    expect(await sides.old.teller.ask("old-books", pay("still-there"))).toMatchObject({ effect: Effect.ALLOW });
  });

  test("records of both builds, and those from before the upgrade, get their places in the ledger", async () => {
    await withClient(database.superuserUrl, async (client) => {
      await eventually(() => allPlaced(client));
      const { rows } = await client.query("select count(*)::int as count from leaf");
      // Of a replica that recorded before this build was there, of the previous build, and of this one.
      const writers = await client.query(
        "select count(distinct replica)::int as count from leaf join writer using (writer)",
      );
      expect([rows[0].count > 0, writers.rows[0].count >= 3]).toEqual([true, true]);
      expect((await audit(client, [])).filter((wrong) => /^(?:place|the head|what follows)/.test(wrong))).toEqual([]);
    });
  });

  test("the previous build ends well, starts anew beside the new one, and knows what was decided", async () => {
    const paid = await sides.old.teller.ask("old-books", pay("before-the-restart"));
    await previous.stop();
    previous = await unpacked.serve(database.runtimeUrl, kept.story.keyEncryptionKey);
    const again = createTeller(clientsAt(previous), tale);
    for (const { teller } of [{ teller: again }, sides.new]) {
      expect(await teller.ask("old-books", pay("before-the-restart"))).toMatchObject({
        decisionId: paid.decisionId,
        replayed: true,
        effect: Effect.ALLOW,
      });
    }
    await previous.stop();
  });
});
