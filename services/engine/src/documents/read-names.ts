import { parseDurationMs } from "../duration.ts";
import type { Metadata } from "./policy.ts";
import { mapOf, optional, type Reader, record, required, type TextRule, text } from "./shape.ts";

/** ASCII alone: two names that look the same are the same. */
export const nameText = text({
  pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$",
  expected: "letters, digits, `_`, `.` and `-`, at most 128",
});

export const toolText = text({
  pattern: "^[A-Za-z0-9_][A-Za-z0-9_.:/@+-]{0,255}$",
  expected: "letters, digits and `_ . : / @ + -`, at most 256",
});

export const globText = text({
  pattern: "^[A-Za-z0-9_*](?:[A-Za-z0-9_.:/@+-]*\\*){0,8}[A-Za-z0-9_.:/@+-]*$",
  test: (glob) => glob.length <= 256 && (glob.match(/\*/g)?.length ?? 0) <= 8,
  expected: "a name, or a glob such as payments.* with at most 8 stars",
});

export const identifier: TextRule = {
  pattern: "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
  expected: "a letter or `_`, then letters, digits and `_`, at most 64",
};

export const labelName: TextRule = {
  pattern: "^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$",
  expected: "letters, digits, `_`, `.`, `/` and `-`, at most 128",
};

export const labelValue = text(undefined, 256);
export const labels = mapOf(labelName, labelValue, 64);

/** The id of a principal: whatever the issuer of its token says, visible characters alone. */
export const identityText = text(
  {
    pattern: "^\\S+(?: \\S+)*$",
    test: (id) => !/[\p{Cc}\p{Cf}]/u.test(id),
    expected: "the id of a principal, without invisible characters",
  },
  256,
);

export const durationText = text({
  pattern: "^(?:[0-9]+(?:ms|[smhd]))+$",
  test: (duration) => parseDurationMs(duration) !== undefined,
  expected: "a duration such as 500ms, 10s, 15m, 1h30m or 7d",
});

const proseCharsMax = 2000;
export const prose = text(undefined, proseCharsMax);

const metadataFields = {
  name: required(nameText),
  owner: optional(text(undefined, 256)),
  description: optional(prose),
};

export const policyMetadata: Reader<Metadata> = record({ ...metadataFields, labels: optional(labels) });
/** The labels that policies read stand in the spec; one place only, so that none is set in vain. */
export const agentMetadata: Reader<Metadata> = record(metadataFields);
export const toolMetadata: Reader<Metadata> = record({ ...metadataFields, name: required(toolText) });
/** Read in conditions as `budget.<name>`. */
export const budgetMetadata: Reader<Metadata> = record({ ...metadataFields, name: required(text(identifier)) });
export const groupMetadata: Reader<Metadata> = record(metadataFields);
