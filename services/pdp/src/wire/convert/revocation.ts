import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  RevocationSchema,
  RevocationSubjectSchema,
  RevocationSubject as WireSubject,
} from "@remit/proto/revocation";
import { haltOf, type Revocation } from "../../decisions/index.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { Revocable } from "../../policies/index.ts";
import { boundedList, labelsField, storedName, uuidField } from "./fields.ts";

const named = (kind: "agent" | "principal" | "tool", value: string, bytesMax: number): Revocable => ({
  kind,
  subject: storedName(value, `subject.${kind}`, bytesMax),
  labels: {},
});

function haltFrom(matchLabels: Readonly<Record<string, string>>): Revocable {
  const field = "subject.labels.match_labels";
  const names = boundedList(Object.keys(matchLabels), field, limits.haltLabelsMax);
  if (names.length === 0) {
    throw invalid(field, "a halt without labels would be of everything", {
      fix: "name labels; to halt everything set subject.tenant",
    });
  }
  return haltOf({ ...labelsField(matchLabels, field) });
}

/** What is to be revoked. */
export function revocableFrom(subject: WireSubject | undefined): Revocable {
  const one = subject?.subject;
  switch (one?.case) {
    case "agent":
      return named("agent", one.value, limits.nameBytesMax);
    case "principal":
      return named("principal", one.value, limits.nameBytesMax);
    case "tool":
      return named("tool", one.value, limits.toolNameBytesMax);
    case "session":
      return { kind: "session", subject: uuidField(one.value, "subject.session"), labels: {} };
    case "labels":
      return haltFrom(one.value.matchLabels);
    case "tenant":
      if (one.value) return { kind: "tenant", subject: "", labels: {} };
  }
  throw invalid("subject", "it is not said what is to be revoked", {
    fix: "set one of agent, session, principal, tool, labels, tenant",
  });
}

function subjectToWire({ kind, subject, labels }: Revocable): MessageInitShape<typeof RevocationSubjectSchema> {
  switch (kind) {
    case "labels":
      return { subject: { case: "labels", value: { matchLabels: { ...labels } } } };
    case "tenant":
      return { subject: { case: "tenant", value: true } };
    default:
      return { subject: { case: kind, value: subject } };
  }
}

export function revocationToWire(revocation: Revocation): MessageInitShape<typeof RevocationSchema> {
  const { id, reason, by, atMs, expiresAtMs, lifted } = revocation;
  return {
    ...{ id, reason, by: { ...by }, at: timestampFromMs(atMs), subject: subjectToWire(revocation) },
    ...(expiresAtMs !== undefined && { expiresAt: timestampFromMs(expiresAtMs) }),
    ...(lifted && {
      ...{ liftedAt: timestampFromMs(lifted.atMs), liftedBy: { ...lifted.by }, liftReason: lifted.reason },
    }),
  };
}
