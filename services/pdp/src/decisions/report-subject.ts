import { utcDay } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";
import type { Asker, Outcome, Told } from "./ask.ts";
import { mayStart } from "./attempt.ts";
import { byCallId, type CallName } from "./call.ts";
import { aliasedName, createCalls } from "./calls.ts";
import type { Decision, ReportedOn } from "./decision.ts";
import type { RecentDecisions } from "./recent.ts";
import { storedDecision } from "./replay.ts";
import { type Subject, settlingKey } from "./report-entry.ts";

/** What a report is about, and what its call is known by where it names the call. */
interface About {
  readonly decision: Subject;
  readonly name: CallName | undefined;
}

function unknownDecision(field: string): Fault {
  return new Fault("missing", "decision_unknown", "there is no such decision in this session", {
    field,
    fix: "report with the id that Decide answered and the session that asked",
  });
}

/** Finds what reports are about. */
export function createSubjects(ledger: Pick<Ledger, "findById" | "findByKeys">, recent: Pick<RecentDecisions, "find">) {
  const calls = createCalls(ledger);

  const byDecision = async (id: string, { session }: Asker, security: bigint, nowMs: number): Promise<About> => {
    const known = recent.find(id, { tenant: session.tenant, session: session.id, security }, nowMs);
    if (known) return { decision: known, name: undefined };
    const found = await ledger.findById(session.tenant, id);
    if (found?.kind !== "decision" || found.session !== session.id) throw unknownDecision("decision_id");
    return { decision: await storedDecision(found), name: undefined };
  };

  /**
   * The attempt of a call that may run, else its latest. What may run has no later attempt but where policies are only
   * watched: there a call is answered anew once it was reported on, and a report by its id that comes again is about the same
   * attempt as before. Whoever runs it anew has the new decision. And who gave a call up before it came gave up no attempt.
   */
  const byCall = async (callId: string, outcome: Outcome, { session }: Asker): Promise<About> => {
    const under = await calls.underId(session, callId);
    const name = under?.kind === "alias" ? aliasedName(under) : byCallId(callId);
    const attempts = under ? await calls.attempts(session, name, under.kind === "alias" ? 1 : 2) : [];
    const known = [under, ...attempts].flatMap((record) => (record && record.kind !== "alias" ? [record] : []));
    const decisions: Decision[] = [];
    for (const record of known) if (record.kind === "decision") decisions.push(await storedDecision(record));
    const running = decisions.find(mayStart);
    if (running && known[0]?.kind === "report" && outcome === "not_executed") return { decision: undefined, name };
    const decision = running ?? decisions.at(-1);
    if (decision) return { decision, name };
    // A Decide whose answer never came may never have arrived, or no further than its alias: saying that nothing ran is
    // always right.
    if (outcome !== "not_executed") throw unknownDecision("call_id");
    return { decision: undefined, name };
  };

  /** What settled a decision: a report, or that its hold ran out. */
  const settledBy = async (decision: ReportedOn, { session }: Asker): Promise<StoredRecord | null> => {
    const keys = [settlingKey(decision)];
    return (await ledger.findByKeys(session.tenant, session.id, utcDay(session.openedAtMs), keys))[0] ?? null;
  };

  return {
    settledBy,
    /** `security`: the revision that the report is judged under. */
    subjectOf: ({ subject, outcome }: Told, asker: Asker, security: bigint, nowMs: number): Promise<About> =>
      "decisionId" in subject
        ? byDecision(subject.decisionId, asker, security, nowMs)
        : byCall(subject.callId, outcome, asker),

    /** The report that settled the decision already, for one that would leave it open. */
    async settledBefore(told: Told, decision: Subject, asker: Asker): Promise<StoredRecord | null> {
      if (!decision || (told.outcome !== "running" && told.outcome !== "unknown")) return null;
      const settled = await settledBy(decision, asker);
      return settled?.kind === "report" ? settled : null;
    },
  };
}
