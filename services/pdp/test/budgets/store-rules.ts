/** The rules that the charged commit follows, the first of each; the others are ways to get it wrong. */
export interface StoreRules {
  /** What an admission compares with: the rows it has locked, or what was read before it waited for them. */
  readonly admission: "locked" | "read_then_write";
  /** Whether the records of a batch count against each other: also those that would not fit alone? */
  readonly sums: "running" | "each_alone" | "running_with_what_never_fits";
  /** What is free of an account. */
  readonly free: "less_overage" | "with_overage";
  readonly check: "held_and_posted" | "overage_too" | "none";
  /** Whose moves are applied. */
  readonly moves: "of_inserted" | "of_admitted";
  /** Whose holds are taken, handed over and ended. */
  readonly holdRows: "of_inserted" | "of_admitted";
  /** Whether a hold must be there, and still with whom it was. */
  readonly holds: "asked" | "not_whether_there" | "not_whose" | "not_asked";
  /** How many records of a batch may step on one hold. */
  readonly batchHolds: "one" | "any";
  /** Whether a hold may run out that was given more time since somebody saw that it had none left. */
  readonly overdue: "asked" | "not_asked";
  /** Whether what was judged under older security settings is refused. */
  readonly revisions: "asked" | "not_asked";
  readonly windows: "store_time" | "not_asked";
  readonly limits: "as_they_are" | "as_they_were";
  readonly freezes: "asked" | "not_asked";
  /** What an alarm is compared with: the rows that were locked, what was read before it waited for them, or nothing. */
  readonly alarms: "asked" | "read_before" | "not_asked";
  /** Whether an account that counts as much as any may lets anything more in. */
  readonly full: "asked" | "not_asked";
}

export const storeRules: StoreRules = {
  admission: "locked",
  sums: "running",
  free: "less_overage",
  check: "held_and_posted",
  moves: "of_inserted",
  holdRows: "of_inserted",
  holds: "asked",
  batchHolds: "one",
  overdue: "asked",
  revisions: "asked",
  windows: "store_time",
  limits: "as_they_are",
  freezes: "asked",
  alarms: "asked",
  full: "asked",
};
