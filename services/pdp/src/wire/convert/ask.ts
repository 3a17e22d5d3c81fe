import type { JsonObject as WireObject } from "@bufbuild/protobuf";
import { type DecideRequest, type ReportRequest, Outcome as WireOutcome } from "@remit/proto/decision";
import type { Ask, Outcome, Told } from "../../decisions/index.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { parseStrict, type StrictObject, strictObject } from "../../foundation/strict-json.ts";
import { countValues, countValuesIn } from "../../foundation/values.ts";
import {
  amountsField,
  boundedList,
  digestField,
  durationField,
  optionalText,
  requiredText,
  timeField,
  uuidField,
} from "./fields.ts";

interface JsonField {
  readonly case: string | undefined;
  readonly value?: WireObject | Uint8Array | undefined;
}

const NOTHING: StrictObject = { value: {}, canonical: "{}" };

/** One JSON object, however it was sent. Absent is empty. */
function jsonField(field: JsonField, name: string): StrictObject {
  const { value } = field;
  if (value === undefined) return NOTHING;
  return value instanceof Uint8Array ? parseStrict(value, name) : strictObject(value, name);
}

/** Counts what the call carries before any of it is parsed or written. */
function checkValues({ input, context, answers }: DecideRequest): void {
  let values = 0;
  for (const { value } of [input, context, answers] as const) {
    if (value === undefined) continue;
    const left = limits.callValuesMax - values;
    values += value instanceof Uint8Array ? countValues(value, left) : countValuesIn(value, left);
    if (values <= limits.callValuesMax) continue;
    throw invalid("input", `input, context and answers have more than ${limits.callValuesMax} values together`, {
      limit: `callValuesMax: ${limits.callValuesMax} members and items, at all depths`,
      fix: "send large content by reference",
    });
  }
}

/** Checks the form of a proposed call. Throws a Fault that names the field. */
export function askFrom(request: DecideRequest, traceId: string, withinMs: number): Ask {
  const callId = requiredText(request.callId, "call_id", limits.callIdBytesMax);
  const tool = requiredText(request.tool, "tool", limits.toolNameBytesMax);
  if (request.input.case === undefined) {
    throw invalid("input", "input is missing", { fix: "send input, {} when the tool takes none" });
  }
  checkValues(request);
  const input = jsonField(request.input, "input");
  const context = jsonField(request.context, "context");
  const answers = jsonField(request.answers, "answers");
  const bytes =
    Buffer.byteLength(input.canonical) + Buffer.byteLength(context.canonical) + Buffer.byteLength(answers.canonical);
  if (bytes > limits.callBytesMax) {
    throw invalid("input", `input, context and answers are ${bytes} bytes long together`, {
      limit: `${limits.callBytesMax} bytes`,
      fix: "send large content by reference",
    });
  }
  const constraints = boundedList(request.supportedConstraints, "supported_constraints", limits.constraintsMax);
  return {
    callId,
    tool,
    input,
    context,
    answers,
    estimate: amountsField(request.estimate, "estimate"),
    schemaDigest: digestField(request.toolSchemaDigest, "tool_schema_digest"),
    approvalId: request.approvalId === "" ? "" : uuidField(request.approvalId, "approval_id"),
    supportedConstraints: constraints.map((name) => optionalText(name, "supported_constraints", limits.nameBytesMax)),
    wantPermit: request.wantPermit,
    minRevision: request.minRevision,
    traceId,
    withinMs,
  };
}

const OUTCOMES: Readonly<Record<WireOutcome, Outcome | undefined>> = {
  [WireOutcome.UNSPECIFIED]: undefined,
  [WireOutcome.RUNNING]: "running",
  [WireOutcome.SUCCEEDED]: "succeeded",
  [WireOutcome.FAILED]: "failed",
  [WireOutcome.NOT_EXECUTED]: "not_executed",
  [WireOutcome.UNKNOWN]: "unknown",
};

function subjectFrom({ subject }: ReportRequest): Told["subject"] {
  if (subject.case === "decisionId") return { decisionId: uuidField(subject.value, "decision_id") };
  if (subject.case === "callId") return { callId: requiredText(subject.value, "call_id", limits.callIdBytesMax) };
  throw invalid("decision_id", "the report names neither decision_id nor call_id", { fix: "send one of them" });
}

/** Checks the form of a report. Throws a Fault that names the field. */
export function toldFrom(request: ReportRequest, traceId: string): Told {
  const outcome = OUTCOMES[request.outcome];
  if (outcome === undefined) {
    throw invalid("outcome", "outcome is missing or unknown", {
      fix: "send OUTCOME_SUCCEEDED, OUTCOME_FAILED, OUTCOME_NOT_EXECUTED, OUTCOME_UNKNOWN or OUTCOME_RUNNING",
    });
  }
  const labels = boundedList(request.labels, "labels", limits.labelsMax);
  return {
    subject: subjectFrom(request),
    outcome,
    actual: amountsField(request.actual, "actual"),
    inputDigest: digestField(request.inputDigest, "input_digest"),
    outputDigest: digestField(request.outputDigest, "output_digest"),
    labels: labels.map((label) => requiredText(label, "labels", limits.labelBytesMax)),
    startedAtMs: request.startedAt && timeField(request.startedAt, "started_at"),
    durationMs: request.duration && durationField(request.duration, "duration"),
    traceId,
  };
}
