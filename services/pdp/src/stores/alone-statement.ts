import type { QueryArrayConfig } from "pg";
import { accountTakesMax } from "../foundation/balance.ts";
import type { Charge, Move, NewRecord } from "../ledger/index.ts";
import { timestamptz } from "./binary-array.ts";
import type { Committed } from "./ledger-statement.ts";
import { isPlain } from "./whole-statement.ts";

const PARAMETERS = 24;

/**
 * The commit of a batch of one record, which most batches of a replica that is not busy are. It is a function of the store
 * (`remit_commit_alone`) that asks and does what the other statements do, by a few statements of its own: for one record, beginning
 * and ending a statement that is made for hundreds takes longer than what it does.
 *
 * Where its answer is null nothing was done, and the batch is sent with the statement that says why.
 */
const COMMIT = `select remit_commit_alone(${Array.from({ length: PARAMETERS }, (_, at) => `$${at + 1}`).join()})`;

const NOTHING_CHARGED = [null, null, null, null, null, null, null];

const literal = (values: readonly bigint[]) => `{${values.join()}}`;

/** Amounts whose sums with what accounts count stay within 64 bits. */
const isSmall = ({ held, posted }: Move) =>
  [held, posted].every((amount) => -accountTakesMax < amount && amount < accountTakesMax);

/** The charge's own parameters; undefined where it does more than take a hold, or end one within what it held. */
function chargeParameters(charge: Charge): unknown[] | undefined {
  const { moves, hold } = charge;
  const accounts = moves.map(({ account }) => account);
  const isOnce = accounts.length > 0 && new Set(accounts).size === accounts.length;
  if (!isOnce || !isPlain(charge) || !moves.every(isSmall)) return undefined;
  const moved = [literal(accounts), literal(moves.map(({ held }) => held))];
  if (hold?.step === "take") return [...moved, null, null, null, timestamptz(hold.expiresAtMs), hold.pending];
  if (hold?.step !== "end") return undefined;
  return [...moved, literal(moves.map(({ posted }) => posted)), hold.hold, hold.decision, null, null];
}

/** The commit of a batch of one plain record; undefined where it has another form. Throws on a record that has none. */
export function aloneQuery(writer: bigint, base: bigint, batch: readonly NewRecord[]): QueryArrayConfig | undefined {
  const [record] = batch;
  if (!record || batch.length > 1) return undefined;
  const charged = record.charge ? chargeParameters(record.charge) : NOTHING_CHARGED;
  if (!charged) return undefined;
  const { expiresAtMs } = record;
  return {
    name: "ledger-alone",
    text: COMMIT,
    rowMode: "array",
    values: [
      ...[
        String(writer),
        String(base),
        record.sessionDay,
        record.tenant,
        record.session,
        record.key,
        record.id,
        record.request,
      ],
      ...[record.kind, record.subject, String(record.securityRevision)],
      ...[expiresAtMs === undefined ? null : timestamptz(expiresAtMs), record.digest, record.body, record.aside],
      ...[record.counted?.run, record.counted?.trail, ...charged],
    ],
  };
}

/** What the commit of one record says; undefined where nothing was done and another is to say why. */
export function readCommittedAlone(
  row: unknown[] | undefined,
  base: bigint,
): { told: Committed; after: string } | undefined {
  const [said] = row as [string | null];
  if (said === null) return undefined;
  if (said === "dead") return { told: { alive: false, inserted: 0, greatest: null, ids: [] }, after: "" };
  return { told: { alive: true, inserted: 1, greatest: base + 1n, ids: null }, after: said };
}
