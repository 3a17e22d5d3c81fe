import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { DecideResponse, Would } from "@remit/proto/decision";
import { effectWord, paintEffect, versionedRule } from "./effects.ts";
import type { Paint } from "./paint.ts";

function field(name: string, value: string): string {
  return `  ${name.padEnd(9)} ${value}`;
}

function transformed({ transformed: input }: DecideResponse): string | undefined {
  if (input.case === "transformedJson") return new TextDecoder().decode(input.value);
  return input.case === "transformedObject" ? JSON.stringify(input.value) : undefined;
}

function reasonLines({ reason }: DecideResponse): string[] {
  const lines = reason?.message ? [field("message", reason.message)] : [];
  if (reason?.remedy) lines.push(field("remedy", reason.remedy));
  if (reason?.detail) lines.push(field("detail", reason.detail));
  return lines;
}

function pauseLines({ approval, questions }: DecideResponse): string[] {
  const needs = approval?.requirements.map(({ quorum, approvers }) => `${quorum} of ${approvers.join(", ")}`);
  const lines = needs && needs.length > 0 ? [field("needs", needs.join("; and "))] : [];
  return [...lines, ...questions.map(({ id, type, ask }) => field("question", `${id} (${type}): ${ask}`))];
}

/** What enforcement would have answered, and by which rules: the line that a call is observed for. */
export function observedLine({ effect, reason, rules }: Would): string {
  const by = rules.length === 0 ? (reason?.code ?? "") : rules.map(versionedRule).join(", ");
  return field("observed", `enforcement would ${effectWord(effect)} (${by}): ${reason?.message ?? ""}`);
}

/** Which versions were tried when it was decided, and what the side answers that did not decide. */
function triedLines({ rollout }: DecideResponse): string[] {
  if (!rollout) return [];
  const tried = rollout.versions.map(({ policy, version }) => `${policy}@${version}`).join(", ");
  const side = rollout.canary ? `${tried} decided` : `${tried} judged along`;
  if (!rollout.other) return [field("tried", side)];
  const { effect, code, rules } = rollout.other;
  const by = rules.length === 0 ? code : rules.map(versionedRule).join(", ");
  return [field("tried", `${side}; ${rollout.canary ? "what is in force" : "it"} would ${effectWord(effect)} (${by})`)];
}

/** A decision for a person: what, why, by which rules, until when, where it is recorded. */
export function decisionLines(decision: DecideResponse, tool: string, paint: Paint): string[] {
  const word = effectWord(decision.effect);
  const code = decision.reason?.code ?? "";
  const runs = transformed(decision);
  const replayed = decision.replayed ? paint.dim("  (decided before; not decided again)") : "";
  const lines = [`${paintEffect(paint, word, word.toUpperCase())}  ${tool}  ${paint.dim(code)}${replayed}`];
  lines.push(...reasonLines(decision));
  if (decision.would) lines.push(observedLine(decision.would));
  lines.push(...triedLines(decision));
  if (runs !== undefined) lines.push(field("runs with", runs));
  lines.push(...pauseLines(decision));
  if (decision.constraints.length > 0) {
    lines.push(
      field("honour", decision.constraints.map(({ name, value }) => `${name}=${shown(value.value)}`).join(", ")),
    );
  }
  if (decision.rules.length > 0) lines.push(field("rules", decision.rules.map(versionedRule).join(", ")));
  if (decision.executeBefore) lines.push(field("run by", timestampDate(decision.executeBefore).toISOString()));
  if (decision.record) lines.push(field("recorded", `epoch ${decision.record.epoch}, n ${decision.record.n}`));
  lines.push(field("decision", `${decision.decisionId}  ${paint.dim(`remit why ${decision.decisionId}`)}`));
  return lines;
}

function shown(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if ("seconds" in value && "nanos" in value) return `${Number(value.seconds) + Number(value.nanos) / 1e9}s`;
  return "values" in value ? `[${String(value.values)}]` : JSON.stringify(value);
}
