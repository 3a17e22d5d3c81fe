import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { effectWords, paintEffect, versionedRule } from "./effects.ts";
import type { Paint } from "./paint.ts";

/** One line of the ledger with its body read. */
export interface ReadEntry {
  readonly epoch: bigint;
  readonly n: bigint;
  readonly digest: string;
  /** Its tenant was erased: its body is gone. */
  readonly erased?: boolean;
  readonly body?: JsonObject | undefined;
}

const INPUT_CHARS_MAX = 600;

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function text(value: JsonValue | undefined): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

function short(value: JsonValue | undefined): string {
  const whole = text(value);
  return whole.length <= INPUT_CHARS_MAX ? whole : `${whole.slice(0, INPUT_CHARS_MAX)}… (${whole.length} characters)`;
}

function rule(value: JsonObject): string {
  return versionedRule({ policy: text(value.policy), version: Number(value.version), rule: text(value.rule) });
}

function field(name: string, value: string): string[] {
  return value === "" ? [] : [`  ${name.padEnd(10)} ${value}`];
}

function headline(body: JsonObject, paint: Paint): string {
  const word = effectWords.find((effect) => effect === body.effect) ?? "deny";
  const code = text(object(body.reason).code);
  return `${paintEffect(paint, word, word.toUpperCase())}  ${text(body.tool)}  ${paint.dim(code)}`;
}

function askedLines(body: JsonObject): string[] {
  const { agent, principal, session, caller, call } = body;
  const verified = object(principal).verified === true ? "verified" : "asserted by the caller";
  const chain = list(body.chain).map((link) => text(link.agent));
  const depth = chain.length - 1;
  return [
    ...field("asked at", text(body.at)),
    ...field("agent", `${text(object(agent).id)}${depth > 0 ? `, delegated: ${chain.join(" → ")}` : ""}`),
    ...field("for", `${text(object(principal).id)} (${verified})`),
    ...field("session", text(object(session).id)),
    ...field("caller", text(object(caller).name) || text(object(caller).id)),
    ...field("call", `${text(object(call).id)}, attempt ${text(body.attempt)}`),
    ...field("input", short(body.input)),
    ...field("context", Object.keys(object(body.context)).length === 0 ? "" : short(body.context)),
  ];
}

function approvalText(approval: JsonObject): string {
  return list(approval.requirements)
    .map(({ quorum, approvers }) => `${text(quorum)} of ${Array.isArray(approvers) ? approvers.join(", ") : ""}`)
    .join("; and ");
}

function wouldText({ effect, reason, rules }: JsonObject): string {
  const { code, message } = object(reason);
  const by = list(rules).map(rule).join(", ") || text(code);
  return `enforcement would ${text(effect)} (${by}): ${text(message)}`;
}

/** Which versions were tried when it was decided, and what the side answers that did not decide. */
function triedText({ side, versions, other, judged }: JsonObject): string {
  const tried = list(versions)
    .map(({ policy, version }) => `${text(policy)}@${text(version)}`)
    .join(", ");
  const canary = side === "candidate";
  const said = `${tried} ${canary ? "decided" : judged === false ? "could not be judged" : "judged along"}`;
  if (other === undefined) return said;
  const { effect, code, rules } = object(other);
  const by = list(rules).map(rule).join(", ") || text(code);
  return `${said}; ${canary ? "what is in force" : "it"} would ${text(effect)} (${by})`;
}

/** What stopped a call, by which counts. */
/** Of what an agent spends: amounts, and what they were compared with. */
function spendingText({ of, count, limit, until, spending }: JsonObject): string {
  const { unit, needed, median, mad, windows, deviations, floor } = object(spending);
  const asked = `${text(count)} ${text(unit)} spent and held in this window of ${text(of)}, ${text(needed)} more needed`;
  const usual = `by ${text(windows)} windows before it: median ${text(median)}, deviation ${text(mad)}`;
  const rule = `${text(deviations)} deviations, at least ${text(floor)}`;
  return `spending of this agent: ${asked}; above ${text(limit)} is out of the ordinary, ${usual} (${rule}), until ${text(until)}`;
}

function breakerText(breaker: JsonObject): string {
  const { kind, reach, count, limit, opened, level, until } = breaker;
  if (kind === "spending") return spendingText(breaker);
  const did = opened === true ? "opened by this call" : "open already";
  return `${text(kind)} in this ${text(reach)}: ${text(count)} of ${text(limit)}; ${did}, level ${level}, until ${text(until)}`;
}

function answeredLines(body: JsonObject): string[] {
  const reason = object(body.reason);
  return [
    ...field("message", text(reason.message)),
    ...field("detail", text(reason.detail)),
    ...field("remedy", text(reason.remedy)),
    ...field("rules", list(body.rules).map(rule).join(", ") || "none"),
    ...list(body.unknowns).flatMap(({ rule: ref, why }) => field("unknown", `${rule(object(ref))}: ${text(why)}`)),
    ...field("observed", body.would === undefined ? "" : wouldText(object(body.would))),
    ...field("tried", body.rollout === undefined ? "" : triedText(object(body.rollout))),
    ...field("breaker", body.breaker === undefined ? "" : breakerText(object(body.breaker))),
    ...field("runs with", short(body.transformed_input)),
    ...holdLines(body),
    ...field("needs", approvalText(object(body.approval))),
    ...list(body.questions).flatMap(({ id, ask }) => field("question", `${text(id)}: ${text(ask)}`)),
    ...field(
      "honour",
      list(body.constraints)
        .map((item) => JSON.stringify(item))
        .join(", "),
    ),
  ];
}

function recordedLines({ body = {}, epoch, n, digest }: ReadEntry): string[] {
  const { security, policy } = object(body.revision);
  return [
    ...field("policies", text(body.policy_digest)),
    ...field("revision", `security ${text(security)}, policy ${text(policy)}; engine ${text(body.engine)}`),
    ...field("recorded", `epoch ${epoch}, n ${n}`),
    ...field("digest", digest),
    ...field("trace", text(body.trace_id)),
  ];
}

const amountOf = ({ amount, unit, budget }: JsonObject) =>
  `${text(amount)} ${text(unit)} of ${text(budget) || "a delegation"}`;

function holdLines({ holds, would_hold: watched, covered_by: covered }: JsonObject): string[] {
  return [
    ...list(holds).flatMap((one) => field("holds", amountOf(one))),
    ...list(watched).flatMap((one) => field("watched", `${amountOf(one)}: nothing is held, what it costs is counted`)),
    ...list(covered).flatMap(({ unit, budget }) =>
      field("covered", `by ${text(budget)}: its tool costs nothing in ${text(unit)}; what it costs is counted`),
    ),
  ];
}

/** What a report did to budgets. */
function settledText({ settled, froze, corrects, unsettled }: JsonObject): string {
  const each = list(settled).map((one) => {
    const beyond = text(one.overage) === "0" ? "" : ` and ${text(one.overage)} beyond what was held`;
    return `${text(one.posted)} ${text(one.unit)}${beyond} of ${text(one.budget) || "a delegation"}`;
  });
  const counted = each.length === 0 ? "" : `, ${corrects ? "corrected by" : "counted"} ${each.join(", ")}`;
  const uncounted = Array.isArray(unsettled) ? `, NO BUDGET COUNTS ITS ${unsettled.map(text).join(", ")}` : "";
  return `${counted}${uncounted}${text(froze) === "" ? "" : `, FROZE ${text(froze)}`}`;
}

/** How a hold ended that nobody had reported on. */
function expiryLine({ body = {}, epoch, n }: ReadEntry): string {
  const by = object(body.resolved_by);
  const posted = list(body.posted).length > 0 ? "counted as spent" : "given back";
  const how = text(by.name) === "" ? "nobody reported in time" : `resolved by ${text(by.name)}: ${text(body.reason)}`;
  return `${text(body.at)}  ${how}; what was held is ${posted}  (epoch ${epoch}, n ${n})`;
}

function reportLine(entry: ReadEntry): string {
  const { body = {}, epoch, n } = entry;
  if (body.kind === "expiry") return expiryLine(entry);
  const actual = list(body.actual).map(({ unit, value }) => `${text(value)} ${text(unit)}`);
  const cost = actual.length === 0 ? "" : `, cost ${actual.join(", ")}`;
  const other = body.input_matches === false ? ", BUT WHAT RAN IS NOT WHAT WAS DECIDED" : "";
  return `${text(body.at)}  ${text(body.outcome)}${cost}${settledText(body)}${other}  (epoch ${epoch}, n ${n})`;
}

/** A decision and the reports on it, for a person. The first entry is the decision. */
export function whyLines([decision, ...reports]: readonly ReadEntry[], paint: Paint): string[] {
  if (decision === undefined) return [];
  const { body = {} } = decision;
  if (decision.erased) {
    return [
      "ERASED  what this decision and its reports said was destroyed with its tenant's key",
      ...field("recorded", `epoch ${decision.epoch}, n ${decision.n}`),
      ...field("digest", decision.digest),
    ];
  }
  const told =
    reports.length === 0 ? ["  nothing was reported on it"] : reports.map((entry) => `  ${reportLine(entry)}`);
  return [
    headline(body, paint),
    ...answeredLines(body),
    "",
    paint.bold("Asked"),
    ...askedLines(body),
    "",
    paint.bold("Recorded"),
    ...recordedLines(decision),
    "",
    paint.bold("Reported"),
    ...told,
  ];
}
