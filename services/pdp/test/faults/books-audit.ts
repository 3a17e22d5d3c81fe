/*
 * Holds the books of budgets against what callers were answered and what they say that they spent, and against nothing
 * that the service thinks of itself. Amounts are millionths.
 */

/** An account that a call is charged to. */
export interface Charged {
  readonly budget: string;
  readonly key: string;
  readonly hard: boolean;
  readonly unit: "EUR" | "calls";
}

/** What its caller knows of a call, at the end. */
export interface Purchase {
  readonly callId: string;
  /** Everything that covers it. */
  readonly charged: readonly Charged[];
  /** What it was expected to cost in EUR. */
  readonly estimate: bigint;
  /** The attempts that it was told of. */
  readonly answers: readonly {
    readonly decisionId: string;
    readonly attempt: number;
    readonly allowed: boolean;
    /** By budget; what was delegated to a session is named after it. */
    readonly holds: readonly { readonly budget: string; readonly micros: bigint }[];
  }[];
  /** What it cost and how many calls it was, as somebody who was heard said; undefined: nobody ever said. */
  readonly spent: { readonly micros: bigint; readonly calls: 0 | 1 } | undefined;
}

export interface AccountRow {
  readonly id: string;
  /** What was delegated to a session is named after it. */
  readonly budget: string;
  readonly key: string;
  readonly hard: boolean;
  readonly limit: bigint;
  readonly ceiling: bigint;
  readonly held: bigint;
  readonly posted: bigint;
  readonly overage: bigint;
}

/** What a record did. */
export interface RecordRow {
  readonly id: string;
  readonly kind: string;
  /** The decision that it is about. */
  readonly subject: string | null;
  readonly accounts: readonly string[];
  readonly held: readonly bigint[];
  readonly posted: readonly bigint[];
  readonly overage: readonly bigint[];
}

/** A decision as the ledger tells it. */
export interface Entry {
  readonly id: string;
  readonly callId: string;
  readonly allowed: boolean;
}

export interface Books {
  readonly purchases: readonly Purchase[];
  readonly accounts: readonly AccountRow[];
  readonly records: readonly RecordRow[];
  readonly entries: readonly Entry[];
  readonly openHolds: number;
  /** Of budgets whose calls are counted: the limit at the end, which was reached. */
  readonly usedUp: ReadonlyMap<string, bigint>;
  /** What an operator said of calls that nobody had reported by then: that nothing was spent, or all that was held. */
  readonly resolutions: readonly { readonly decision: string; readonly released: boolean }[];
  /** The highest limit that anybody ever asked for, by budget. */
  readonly highest: ReadonlyMap<string, bigint>;
}

const ONE_CALL = 1_000_000n;
const nameOf = (budget: string, key: string) => `${budget} ${key}`.trim();

function addTo<Name>(sums: Map<Name, bigint>, name: Name, amount: bigint): void {
  sums.set(name, (sums.get(name) ?? 0n) + amount);
}

const amountOf = ({ unit }: Charged, { estimate }: Purchase) => (unit === "calls" ? ONE_CALL : estimate);

const allowedIn = ({ answers }: Purchase) => answers.find(({ allowed }) => allowed);

/** What calls must have cost accounts: as their callers said, else as an operator did, or as what never was reported counts. */
function costsOf({ resolutions }: Books): (charged: Charged, purchase: Purchase) => bigint {
  const released = new Map(resolutions.map((one) => [one.decision, one.released]));
  return (charged, purchase) => {
    const { spent } = purchase;
    if (spent) return charged.unit === "calls" ? BigInt(spent.calls) * ONE_CALL : spent.micros;
    const isReleased = released.get(allowedIn(purchase)?.decisionId ?? "") ?? !charged.hard;
    return isReleased ? 0n : amountOf(charged, purchase);
  };
}

/** The sum of what all records did is what stands in each account. */
function movesAndRows({ accounts, records }: Books): string[] {
  const sums = new Map<string, bigint>();
  for (const record of records) {
    record.accounts.forEach((account, at) => {
      for (const column of ["held", "posted", "overage"] as const) {
        addTo(sums, `${account} ${column}`, record[column][at] ?? 0n);
      }
    });
  }
  const rows = new Map<string, bigint>();
  for (const row of accounts) {
    for (const column of ["held", "posted", "overage"] as const) rows.set(`${row.id} ${column}`, row[column]);
  }
  return [...new Set([...sums.keys(), ...rows.keys()])].flatMap((name) => {
    const [row, sum] = [rows.get(name) ?? 0n, sums.get(name) ?? 0n];
    return row === sum ? [] : [`account ${name}: its row has ${row}, its records come to ${sum}`];
  });
}

/** No hard account is over, and no limit stands that nobody asked for. */
export function overdrawn(accounts: readonly AccountRow[], highest: Books["highest"]): string[] {
  return accounts.flatMap(({ id, budget, hard, held, posted, ceiling, limit }) => {
    const most = highest.get(budget) ?? limit;
    if (!hard || (held + posted <= ceiling && ceiling <= most)) return [];
    return [`account ${id} of ${budget}: ${held} held and ${posted} spent, ceiling ${ceiling}, never above ${most}`];
  });
}

/** What callers spent, account by account, is what the accounts say was spent. */
function spentAndPosted(books: Books): string[] {
  const { purchases, accounts } = books;
  const costOf = costsOf(books);
  const due = new Map<string, bigint>();
  for (const purchase of purchases) {
    const allowed = allowedIn(purchase);
    if (!allowed) continue;
    for (const charged of purchase.charged) addTo(due, nameOf(charged.budget, charged.key), costOf(charged, purchase));
  }
  const posted = new Map<string, bigint>();
  for (const { budget, key, posted: micros, overage } of accounts) addTo(posted, nameOf(budget, key), micros + overage);
  const names = [...new Set([...due.keys(), ...posted.keys()])];
  return names.flatMap((name) => {
    const [says, stands] = [due.get(name) ?? 0n, posted.get(name) ?? 0n];
    return says === stands ? [] : [`${name}: callers spent ${says}, ${stands} is posted or overage`];
  });
}

/** No call is allowed by two decisions, told or not. */
function allowedTwice({ purchases, entries }: Books): string[] {
  const allowed = new Map<string, Set<string>>();
  const add = (callId: string, id: string) => allowed.set(callId, (allowed.get(callId) ?? new Set()).add(id));
  for (const { callId, answers } of purchases) {
    for (const one of answers) if (one.allowed) add(callId, one.decisionId);
  }
  for (const one of entries) if (one.allowed) add(one.callId, one.id);
  return [...allowed].flatMap(([callId, ids]) => (ids.size > 1 ? [`${callId} was allowed ${ids.size} times`] : []));
}

/** What was answered is recorded as it was answered. */
function answeredAndRecorded({ purchases, entries }: Books): string[] {
  const known = new Map(entries.map((entry) => [entry.id, entry]));
  return purchases.flatMap(({ callId, answers }) =>
    answers.flatMap(({ decisionId, allowed }) => {
      const entry = known.get(decisionId);
      const same = entry && entry.callId === callId && entry.allowed === allowed;
      return same ? [] : [`${callId} was answered ${decisionId}, which is not so in the ledger`];
    }),
  );
}

/** Before it was settled, every allowed call held what it was told, on everything that covers it, and no less. */
function heldAsTold({ purchases, records, entries, accounts }: Books): string[] {
  const budgetOf = new Map(accounts.map(({ id, budget, key }) => [id, nameOf(budget, key)]));
  const callOf = new Map(entries.map(({ id, callId }) => [id, callId]));
  const finals = new Set(purchases.flatMap((one) => allowedIn(one)?.decisionId ?? []));
  const held = new Map<string, Map<string, bigint>>();
  for (const record of records) {
    const about = record.subject ?? record.id;
    const callId = callOf.get(about);
    if (callId === undefined || (record.subject !== null && finals.has(about))) continue;
    const sums = held.get(callId) ?? new Map<string, bigint>();
    held.set(callId, sums);
    for (const [at, id] of record.accounts.entries()) addTo(sums, budgetOf.get(id) ?? "?", record.held[at] ?? 0n);
  }
  return purchases.flatMap((purchase) => {
    const allowed = allowedIn(purchase);
    if (!allowed) return [];
    const must = purchase.charged.map((one) => `${one.budget} ${amountOf(one, purchase)}`).sort();
    const says = allowed.holds.map(({ budget, micros }) => `${budget} ${micros}`).sort();
    const sums = held.get(purchase.callId) ?? new Map<string, bigint>();
    const took = purchase.charged.every(
      (one) => (sums.get(nameOf(one.budget, one.key)) ?? 0n) === amountOf(one, purchase),
    );
    if (`${must}` !== `${says}`) return [`${purchase.callId} was told that it holds ${says}, not ${must}`];
    return took ? [] : [`${purchase.callId} was allowed, and its records do not hold what it was told`];
  });
}

/** Of calls that are counted one by one, as many were let in as the limit says, and none more. */
function countedOut(books: Books): string[] {
  const costOf = costsOf(books);
  return [...books.usedUp].flatMap(([name, limit]) => {
    const used = books.purchases
      .filter(allowedIn)
      .flatMap((one) => one.charged.filter(({ budget }) => budget === name).map((charged) => costOf(charged, one)))
      .reduce((sum, cost) => sum + cost, 0n);
    return used === limit ? [] : [`of ${name} ${used} was allowed, and its limit is ${limit}`];
  });
}

/** What ends a hold moves the accounts that its call was charged to, in the windows that they were charged in. */
function settledInPlace({ records, entries }: Books): string[] {
  const callOf = new Map(entries.map(({ id, callId }) => [id, callId]));
  const charged = new Map<string, Set<string>>();
  for (const { id, subject, accounts } of records) {
    const callId = callOf.get(id);
    if (subject !== null || callId === undefined) continue;
    charged.set(callId, new Set([...(charged.get(callId) ?? []), ...accounts]));
  }
  return records.flatMap(({ id, subject, accounts }) => {
    const of = charged.get(callOf.get(subject ?? "") ?? "");
    const elsewhere = subject === null ? [] : accounts.filter((account) => !of?.has(account));
    return elsewhere.map((account) => `record ${id} moves account ${account}, which its call was never charged to`);
  });
}

/** Nothing is held once everything was reported or has run out. */
function atRest({ accounts, openHolds }: Books): string[] {
  const holding = accounts.filter(({ held }) => held !== 0n).map(({ id, held }) => `account ${id} still holds ${held}`);
  return openHolds === 0 ? holding : [...holding, `${openHolds} holds are still open`];
}

/** Everything that is wrong with the books at the end. */
export function auditBooks(books: Books): string[] {
  return [
    ...[
      movesAndRows,
      spentAndPosted,
      allowedTwice,
      answeredAndRecorded,
      heldAsTold,
      countedOut,
      settledInPlace,
      atRest,
    ].flatMap((rule) => rule(books)),
    ...overdrawn(books.accounts, books.highest),
  ];
}
