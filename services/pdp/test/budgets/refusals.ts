import type { NewRecord, Short } from "../../src/ledger/index.ts";
import type { AccountRow, Committed, StoreState } from "./store-model.ts";

interface Options {
  readonly wrong: (what: string) => void;
  /** What an account should have, held, posted and overage together. */
  readonly dues: ReadonlyMap<bigint, bigint>;
  readonly accountOf: (id: bigint) => AccountRow;
  readonly limitOf: (account: AccountRow) => bigint;
  readonly state: StoreState;
}

const heldBy = ({ charge }: NewRecord, account: bigint) =>
  charge?.moves.find((move) => move.account === account)?.held ?? 0n;

/** What is watched of what a commit let in and what it refused, by what its accounts should have. */
export function createRefusals({ wrong, dues, accountOf, limitOf, state }: Options) {
  const usualLimitOf = (account: AccountRow) => {
    const limit = limitOf(account);
    return account.alarm !== undefined && account.alarm < limit ? account.alarm : limit;
  };

  /** What is out of the ordinary is not let in: beside what was there when the commit began, and what it let in before. */
  const checkAlarms = (
    batch: readonly NewRecord[],
    { inserted }: Extract<Committed, { failed?: undefined }>,
    before: ReadonlyMap<bigint, bigint>,
  ) => {
    const sums = new Map(before);
    for (const { id, charge } of batch) {
      const step = charge?.hold?.step;
      if (!inserted.has(id) || (step !== "take" && step !== "adopt")) continue;
      for (const { account, held } of charge?.moves ?? []) {
        const { alarm, hard } = accountOf(account);
        if (!hard || alarm === undefined || held <= 0n) continue;
        const sum = (sums.get(account) ?? 0n) + held;
        sums.set(account, sum);
        if (sum > alarm) wrong(`account ${account} let in ${sum}, and above ${alarm} is out of the ordinary`);
      }
    }
  };

  /** What was refused as too much did not fit; what was refused for the sake of others was in their way. */
  const checkShort = (
    record: NewRecord,
    batch: readonly NewRecord[],
    before: ReadonlyMap<bigint, bigint>,
    short: Short,
  ) => {
    const { account, why } = short;
    const row = state.accounts.get(account);
    const own = heldBy(record, account);
    if (!row) return;
    if (why === "exhausted" && (dues.get(account) ?? 0n) + own <= limitOf(row)) {
      wrong(`account ${account} refused ${own}, which fits`);
    }
    const most = usualLimitOf(row);
    if (why === "unusual" && (dues.get(account) ?? 0n) + own <= most) {
      wrong(`account ${account} refused ${own} as out of the ordinary, which it is not`);
    }
    if (why !== "crowded" || record.charge?.hold?.step !== "take") return;
    const free = most - (before.get(account) ?? 0n);
    let others = 0n;
    for (const other of batch) {
      if (other === record) break;
      const step = other.charge?.hold?.step;
      const held = step === "take" || step === "adopt" ? heldBy(other, account) : 0n;
      if (held > 0n && held <= free) others += held;
    }
    if (own + others <= free) wrong(`account ${account} refused ${own} for the sake of others, who left room for it`);
  };
  return { checkShort, checkAlarms };
}
