import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Budget, BudgetAccount, BudgetAnomaly, BudgetFreeze } from "@remit/proto/admin";
import type { BudgetTrace } from "@remit/proto/decision";
import { spelledOut } from "./tools-import/plain-text.ts";

const WHOLE = 10_000;
const BAR_CELLS = 20;

/** A share in hundredths of a percent as whole percents, rounded down: nothing says 100% before it is all. */
export const percentText = (basisPoints: number): string => `${Math.floor(basisPoints / 100)}%`;

/**
 * The burn-down of a window on one line: `#` for what is used of the limit, `|` where the window is now. What is used lies
 * left of it as long as the limit lasts.
 */
export function burnBar({ limitUsedBasisPoints, windowOverBasisPoints, closesAt }: BudgetAccount): string {
  const used = Math.min(BAR_CELLS, Math.floor((limitUsedBasisPoints * BAR_CELLS) / WHOLE));
  const cells = [...`${"#".repeat(used)}${"-".repeat(BAR_CELLS - used)}`];
  const now = Math.min(BAR_CELLS - 1, Math.floor((windowOverBasisPoints * BAR_CELLS) / WHOLE));
  if (closesAt !== undefined) cells[now] = "|";
  return `[${cells.join("")}]`;
}

/** A time to the minute in a time zone, which is named: people read their own day. */
export function zonedText(time: Timestamp | undefined, timeZone: string): string {
  if (!time) return "";
  const zone = timeZone === "" ? "UTC" : timeZone;
  const parts = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit" },
    ...{ hour: "2-digit", minute: "2-digit" },
  }).formatToParts(timestampDate(time));
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")} ${zone}`;
}

/** Why something is frozen, on one line; empty where it is not. */
export function freezeText(freeze: BudgetFreeze | undefined): string {
  if (!freeze) return "";
  const by = freeze.by ? ` by ${spelledOut(freeze.by.name)}` : "";
  const at = freeze.at ? ` since ${timestampDate(freeze.at).toISOString()}` : "";
  return `frozen${by}${at}${freeze.reason === "" ? "" : `: ${spelledOut(freeze.reason)}`}`;
}

/** What an account is for, from its key. */
export function keyText({ key, sessionId }: Pick<BudgetAccount, "key" | "sessionId">): string {
  if (key === "") return sessionId === "" ? "(the only one)" : `session ${sessionId}`;
  try {
    const { per = {}, session, ...rest } = JSON.parse(key) as Record<string, unknown> & { per?: object };
    const values = Object.entries({ ...rest, ...per, ...(session !== undefined && { session }) });
    const plain = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
    return spelledOut(values.map(([name, value]) => `${name}=${plain(value)}`).join(", "));
  } catch {
    return key;
  }
}

/** What a budget is, without how it stands. */
export function declarationText({ limit, window, timeZone, ownerKind, owner, enforcement }: Budget): string {
  const span = window === "lifetime" || window === "session" ? `for a ${window}` : `a ${window}`;
  const zone = timeZone === "" ? "" : ` (${timeZone})`;
  const whose = owner === "" ? `of each ${ownerKind}` : `of ${ownerKind} ${owner}`;
  return `${limit?.value} ${limit?.unit} ${span}${zone}, ${ownerKind === "tenant" ? "of the tenant" : whose}, ${enforcement}`;
}

/** What is out of the ordinary about an account, or a budget. */
export function stateText(account: BudgetAccount | undefined, freeze: BudgetFreeze | undefined, soft = false): string {
  if (freeze ?? account?.freeze) return "frozen";
  if (!account) return "";
  if (account.over !== "0") return soft ? `over by ${account.over}` : `over by ${account.over}, refuses`;
  return account.free === "0" ? (soft ? "used up" : "used up, refuses") : "";
}

function line(name: string, text: string): string[] {
  return text === "" ? [] : [`${name.padEnd(9)} ${text}`];
}

/** From where on an account is out of the ordinary; empty where nothing is compared. */
function alarmText({ alarm, unit, windowsBefore, alarmOffAt }: BudgetAccount, anomaly: BudgetAnomaly | undefined) {
  if (!anomaly) return "";
  if (alarmOffAt) return `reset ${timestampDate(alarmOffAt).toISOString()}: not judged until this window ends`;
  const windows = `${windowsBefore} ${windowsBefore === 1 ? "window" : "windows"} before it`;
  if (alarm !== "") return `above ${alarm} ${unit}, by ${windows}`;
  return `not judged: ${windows}, and it takes ${anomaly.windowsMin}`;
}

/** How one account stands, line by line. */
export function accountLines(account: BudgetAccount, timeZone: string, anomaly?: BudgetAnomaly): string[] {
  const { unit, limit, spent, overage, held, free, over, ownLimit, closesAt, exhaustedAt } = account;
  const beyond = overage === "0" ? "" : `, ${overage} of it beyond what had been held`;
  const window = closesAt ? `, ${percentText(account.windowOverBasisPoints)} of the window is over` : "";
  return [
    ...line("limit", `${limit} ${unit}${ownLimit ? ", this account's own" : ""}`),
    ...line("spent", `${spent} ${unit}${beyond}`),
    ...line("held", `${held} ${unit}`),
    ...line("free", `${free} ${unit}${over === "0" ? "" : `; over the limit by ${over} ${unit}`}`),
    ...line("used", `${burnBar(account)} ${percentText(account.limitUsedBasisPoints)}${window}`),
    ...line("resets", closesAt ? zonedText(closesAt, timeZone) : "never"),
    ...line("unusual", alarmText(account, anomaly)),
    ...line("lasts", exhaustedAt ? `until ${zonedText(exhaustedAt, timeZone)}, at the window's rate so far` : ""),
    ...line("", freezeText(account.freeze)),
  ];
}

function traceLine(one: BudgetTrace): string {
  const { budget, key, unit, needed, limit, free, freeAfter, hard, refuses, accountId } = one;
  const whose = budget.startsWith("session:") ? `given to ${budget.replace(":", " ")}` : budget;
  const name = `${whose}${key === "" ? "" : ` (${keyText({ key, sessionId: "" })})`}`;
  if (needed === "") {
    const why = refuses === "" ? "counted when it is reported" : refuses;
    return `${refuses === "" ? "covers " : "REFUSES"}  ${name}: nobody says what the call costs in ${unit}: ${why}`;
  }
  const opened = accountId === "" ? ", not opened yet" : "";
  const left = `${free} of ${limit} ${unit} free${opened}`;
  if (refuses !== "") return `REFUSES  ${name}: ${needed} ${unit} needed, ${left}: ${refuses}`;
  return `holds    ${name}: ${needed} ${unit}, ${left}, ${freeAfter} after that${hard ? "" : "; soft, refuses nothing"}`;
}

/** What a call would hold, one line an account; nothing where it would hold nothing. */
export function budgetTraceLines(budgets: readonly BudgetTrace[]): string[] {
  return budgets.length === 0 ? [] : ["Budgets", ...budgets.map((one) => `  ${traceLine(one)}`)];
}
