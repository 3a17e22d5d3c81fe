import { type Behaviour, eventFrom } from "../behaviour/index.ts";
import type { Ledger, NewRecord } from "../ledger/index.ts";

/**
 * The same ledger, and what breakers count of a record is counted once it is acknowledged: never what was not recorded.
 * Where nobody knows whether it was, the run is read again.
 */
export function countedLedger(
  ledger: Ledger,
  behaviour: Pick<Behaviour, "recorded" | "forget">,
  onTrip: (kind: string, observed: boolean) => void,
): Ledger {
  const count = ({ id, session, subject }: NewRecord, { run, trail }: NonNullable<NewRecord["counted"]>) => {
    const event = eventFrom({ id, session, subject, trail });
    if (!event) return;
    behaviour.recorded(run, event);
    if (event.event === "call" && event.trip) onTrip(event.trip.kind, event.trip.observed);
  };
  return {
    ...ledger,
    record: (record, options) => {
      const { counted } = record;
      const recording = ledger.record(record, options);
      if (!counted) return recording;
      return recording.then(
        (outcome) => {
          if (outcome.outcome === "inserted") count(record, counted);
          return outcome;
        },
        (error) => {
          behaviour.forget(counted.run);
          throw error;
        },
      );
    },
  };
}
