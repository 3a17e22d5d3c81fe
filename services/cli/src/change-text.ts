import type { PolicyDocument } from "@remit/engine";
import type { ChangedRow } from "@remit/proto/change";
import { type Cli, paintFor } from "./cli.ts";
import { loadEngine } from "./engine.ts";
import { documentDiffLines } from "./policy-diff/diff-text.ts";
import { spelledOut } from "./tools-import/plain-text.ts";
import { wholePolicies } from "./whole-policies.ts";

/*
 * What somebody is asked to agree to. Whoever proposes it may wish that less of it were seen: so every value is there, whole,
 * and no text of theirs moves a cursor or hides a line.
 */

type Leaves = ReadonlyMap<string, string>;

// A name with a dot in it is no path: what stands under it must not pass for what stands elsewhere.
const stepOf = (name: string) => spelledOut(/^[\w-]+$/.test(name) ? name : JSON.stringify(name));

function leavesOf(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof value === "object" && value !== null && Object.keys(value).length > 0) {
    for (const [name, one] of Object.entries(value)) {
      leavesOf(one, path === "" ? stepOf(name) : `${path}.${stepOf(name)}`, into);
    }
  } else {
    into.set(path, spelledOut(JSON.stringify(value)));
  }
  return into;
}

const parsed = (json: string): Leaves => (json === "" ? new Map() : leavesOf(JSON.parse(json)));

const nameOf = (row: ChangedRow): string => {
  const said = JSON.parse(row.becomes || row.was || "{}") as Record<string, unknown>;
  return spelledOut(String(said.name ?? said.policy ?? said.subject ?? ""));
};

/** What a row becomes, value by value: what stays as it is is left out. */
export function changedRowLines(row: ChangedRow): string[] {
  const [was, becomes] = [parsed(row.was), parsed(row.becomes)];
  const what = row.was === "" ? "is added" : row.becomes === "" ? "goes" : "changes";
  const lines = [`${row.table.replaceAll("_", " ")} ${nameOf(row)} ${what}`.replaceAll("  ", " ")];
  for (const path of new Set([...was.keys(), ...becomes.keys()])) {
    if (was.get(path) === becomes.get(path)) continue;
    if (was.has(path)) lines.push(`  - ${path}: ${was.get(path)}`);
    if (becomes.has(path)) lines.push(`  + ${path}: ${becomes.get(path)}`);
  }
  return lines;
}

interface InForce {
  readonly policy: string;
  readonly version: number;
}

/** All of a policy but its rules: what is compared says of a policy that comes or goes no more than these. */
function otherLines(sign: "+" | "-", { metadata, spec: { rules: _, ...spec } }: PolicyDocument): string[] {
  return [...leavesOf({ metadata, spec })].map(([path, value]) => `    ${path}: ${sign} ${value}`);
}

/** What a change does to a policy in force, rule by rule; undefined where its versions cannot be read. */
export async function policyLines(cli: Cli, row: ChangedRow): Promise<string[] | undefined> {
  const [was, becomes] = [row.was, row.becomes].map((json) =>
    json === "" ? undefined : (JSON.parse(json) as InForce),
  );
  const choices = [was, becomes].filter((one) => one !== undefined);
  const answer = await wholePolicies(cli.clients(), choices).catch(() => undefined);
  if (!answer) return undefined;
  const { diffDocuments } = await loadEngine();
  const documentOf = (one: InForce | undefined) => {
    const found = answer.policies.find(({ version }) => version?.version === one?.version);
    return found ? [JSON.parse(found.document) as PolicyDocument] : [];
  };
  const side = (one: InForce | undefined) => ({
    ...{ policies: documentOf(one), tools: [], agents: [], budgets: [], groups: [] },
  });
  const versionOf = (one: InForce | undefined) => (one ? `version ${one.version}` : "out of force");
  const title = `policy ${spelledOut((becomes ?? was)?.policy ?? "")}: ${versionOf(was)} → ${versionOf(becomes)}`;
  const [before, after] = [documentOf(was)[0], documentOf(becomes)[0]];
  const lines = documentDiffLines(diffDocuments(side(was), side(becomes)), paintFor(cli.io), Number.POSITIVE_INFINITY);
  if (before && after) return [title, ...lines];
  const others = after ? otherLines("+", after) : before ? otherLines("-", before) : [];
  return [title, ...lines.slice(0, 1), ...others, ...lines.slice(1)];
}
