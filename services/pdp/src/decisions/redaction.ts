import { canonical, type JsonObject } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";
import { finishInTurns } from "../foundation/steps.ts";
import { noTurnRoom, type TurnRoom } from "../foundation/turn-room.ts";
import type { Marking, Marks } from "../ledger/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask } from "./ask.ts";
import { tooLate } from "./attempt.ts";
import { coveringOf } from "./covering-of.ts";
import type { Decision } from "./decision.ts";
import type { Judged } from "./finding.ts";
import { type Redacted, redact, restore } from "./redact.ts";

/** Keeps values that a tool's registration names out of the ledger. */
export interface Redaction {
  /**
   * What goes into the entry of a call; undefined when its tool redacts nothing: then nothing is waited for. Where there
   * is much of it, it is done in turns among those of its source.
   */
  of(snapshot: Snapshot, ask: Ask, judged: Judged, source: object | string): Redacted | undefined | Promise<Redacted>;
  /** The call with what marks the keys of its accounts; the same call, at once, where no budget is kept by what is redacted. */
  keyed(snapshot: Snapshot, ask: Ask): Ask | Promise<Ask>;
  /**
   * A decision as it was answered first: the input that must run whole again, or a denial where that cannot be had.
   * `anew` is what the call would be made to run with now: mostly the same.
   */
  whole(decision: Decision, tenant: string, ask: Ask, anew: object | undefined): Decision | Promise<Decision>;
}

const NOT_RESTORED = {
  code: "transform_invalid",
  message:
    "What this call was made to run with is kept out of the ledger and cannot be told a second time. Ask under another call id.",
} as const;

export function createRedaction(marking: Marking, turns: TurnRoom = noTurnRoom): Redaction {
  return {
    of(snapshot, ask, { verdict }, source) {
      const paths = snapshot.tools.get(ask.tool)?.document.spec.redact;
      if (!paths || paths.length === 0) return undefined;
      const marks = marking(snapshot.tenant);
      const { transformedInput } = verdict;
      const redacted = (ready: Marks) => {
        return finishInTurns(redact(ask, transformedInput as JsonObject, verdict, paths, ready), turns, source);
      };
      return marks instanceof Promise ? marks.then(redacted) : redacted(marks);
    },
    keyed(snapshot, ask) {
      if (snapshot.budgets.size === 0 || !coveringOf(snapshot).marks) return ask;
      const withMarks = (marks: Marks): Ask => ({ ...ask, mark: marks.mark });
      const marks = marking(snapshot.tenant);
      return marks instanceof Promise ? marks.then(withMarks) : withMarks(marks);
    },
    whole(decision, tenant, ask, anew) {
      const { body, transformedInput } = decision;
      if (!decision.replayed || !transformedInput || !body.redacted) return decision;
      const paths = body.redacted;
      const isWhole = (input: object) => digest("input", canonical(input)) === body.effective_input_digest;
      if (anew && isWhole(anew)) return { ...decision, transformedInput: anew as JsonObject };
      const restored = async () => {
        const whole = await finishInTurns(restore(transformedInput, ask, paths, await marking(tenant)), turns, ask);
        return isWhole(whole) ? { ...decision, transformedInput: whole } : tooLate(decision, NOT_RESTORED);
      };
      return restored();
    },
  };
}
