import { parseDurationMs } from "../duration.ts";
import type { Metadata } from "./policy.ts";
import { mapOf, optional, type Reader, record, required, type TextRule, text } from "./shape.ts";

const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const toolPattern = /^[A-Za-z0-9_][A-Za-z0-9_.:/@+-]{0,255}$/;
const globPattern = /^[A-Za-z0-9_*][A-Za-z0-9_.:/@+*-]{0,255}$/;

/** ASCII alone: two names that look the same are the same. */
export const nameText = text({
  test: (name) => namePattern.test(name),
  expected: "letters, digits, `_`, `.` and `-`, at most 128",
});

export const toolText = text({
  test: (name) => toolPattern.test(name),
  expected: "letters, digits and `_ . : / @ + -`, at most 256",
});

export const globText = text({
  test: (glob) => globPattern.test(glob) && (glob.match(/\*/g)?.length ?? 0) <= 8,
  expected: "a name, or a glob such as payments.* with at most 8 stars",
});

export const identifier: TextRule = {
  test: (name) => /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name),
  expected: "a letter or `_`, then letters, digits and `_`, at most 64",
};

export const labelName: TextRule = {
  test: (name) => /^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$/.test(name),
  expected: "letters, digits, `_`, `.`, `/` and `-`, at most 128",
};

export const labels = mapOf(labelName, text(undefined, 256), 64);

export const durationText = text({
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
