import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Activation, CallerRef, PolicyVersion, StoredPolicy } from "@remit/proto/admin";
import type { Difference, Rollout } from "@remit/proto/rollout";
import { counted } from "./counted.ts";
import { effectWord } from "./effects.ts";
import { percentText } from "./policy-choice.ts";

export const timeText = (time: Timestamp | undefined): string =>
  time === undefined ? "" : timestampDate(time).toISOString();

const byText = (caller: CallerRef | undefined): string => (caller ? ` by ${caller.name || caller.id}` : "");

const causes = new Map([
  ["rolled_back", "rolled back to"],
  ["promoted", "promoted"],
]);

function activationText({ since, until, cause, by, endedBy }: Activation): string {
  const from = since ? timeText(since) : "before this was written down";
  const to = until ? `to ${timeText(until)}${byText(endedBy)}` : "to this day";
  const word = causes.get(cause);
  return `from ${from}${byText(by)}${word ? ` (${word})` : ""} ${to}`;
}

/** When a version was in force last, for a list. */
export function inForceText({ activations }: PolicyVersion): string {
  const last = activations.at(-1);
  if (!last) return "";
  const { since, until, by, endedBy } = last;
  if (!until) return `since ${timeText(since)}${byText(by)}`;
  return `until ${timeText(until)}${byText(endedBy)}`;
}

const LANGUAGES = new Map([
  ["rego", "Rego"],
  ["cedar", "Cedar"],
]);

/** What a version that is not written in rules of ours is written in; undefined of one that is. */
export function languageText({ language, rules }: Pick<PolicyVersion, "language" | "rules">): string | undefined {
  // Nobody knows of one that an earlier build published; it would have rules, though, were it ours.
  return language === "" && rules === 0 ? "another language" : LANGUAGES.get(language);
}

/** `3 rules`, `in Rego`. */
export function writtenText(version: Pick<PolicyVersion, "language" | "rules">): string {
  const language = languageText(version);
  return language === undefined ? counted(version.rules, "rule") : `in ${language}`;
}

/** A version for a person: what it is, who made it what it is, and its document as it was written. */
export function storedPolicyLines({ version, source }: StoredPolicy): string[] {
  if (!version) return [];
  const { policy, state, digest, publishedAt, publishedBy, validatedAt, validatedBy, activations } = version;
  const field = (name: string, value: string) => `  ${name.padEnd(9)} ${value}`;
  return [
    `${policy}@${version.version}  ${state}  ${writtenText(version)}`,
    field("digest", digest),
    field("published", `${timeText(publishedAt)}${byText(publishedBy)}`),
    ...(validatedAt ? [field("validated", `${timeText(validatedAt)}${byText(validatedBy)}`)] : []),
    ...activations.map((activation) => field("in force", activationText(activation))),
    "",
    source.trimEnd(),
  ];
}

/** What is tried, for a person. */
export function rolloutLines(rollout: Rollout): string[] {
  const { id, versions, shareBasisPoints, startedAt, startedBy, endedAs, endedAt, endedBy, problem } = rollout;
  const tried = versions.map(({ policy, version, baseVersion }) => {
    const beside = baseVersion === 0 ? "not in force before" : `beside ${policy}@${baseVersion}`;
    return `${policy}@${version} (${beside})`;
  });
  return [
    `${tried.join(", ")}  ${endedAs || (shareBasisPoints === 0 ? "judged along, decides for nobody" : `decides for ${percentText(shareBasisPoints)} of the sessions`)}`,
    `  rollout   ${id}`,
    `  since     ${timeText(startedAt)}${byText(startedBy)}`,
    ...(endedAt ? [`  ended     ${timeText(endedAt)}${byText(endedBy)}`] : []),
    ...(problem === "" ? [] : [`  problem   it does not compile beside what is registered now: ${problem}`]),
  ];
}

/** One kind of difference as a row: what is in force answers, what is tried answers, how many, examples. */
export function differenceRow({ from, to, fromCode, toCode, calls, decisionIds }: Difference): string[] {
  const [shown = ""] = decisionIds;
  return [`${effectWord(from)} → ${effectWord(to)}`, `${fromCode} → ${toCode}`, String(calls), `remit why ${shown}`];
}
