import type { Documents, PolicyDocument } from "@remit/engine";
import type { Cli } from "../cli.ts";
import { type DocumentFile, readDocumentFiles } from "../document-files.ts";
import { loadEngine } from "../engine.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { registeredTools } from "../registered-tools.ts";
import { exitCodes, Stop, usage } from "../stop.ts";
import { wholePolicies } from "../whole-policies.ts";

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  readonly documents: Documents;
  readonly tests: readonly DocumentFile[];
}

const STORED = /^([A-Za-z0-9_][A-Za-z0-9_.-]*)?@(active|[1-9][0-9]{0,8})$/;

/** Whether a side is on the service: payments@3, payments@active, or @active for everything in force. */
function isStored(text: string): boolean {
  return STORED.test(text);
}

async function filesSide(cli: Cli, path: string): Promise<Side> {
  const { documents: files, tests } = await readDocumentFiles(cli.io, [path], "the path");
  const { documents, problems } = await checkDocuments(files);
  if (refuses(problems, false)) {
    await printProblems(cli.io, problems);
    throw new Stop(exitCodes.no, `${path} has errors; nothing was compared`);
  }
  return { name: path, documents, tests };
}

async function storedSide(cli: Cli, text: string): Promise<Side> {
  const [, name, version = ""] = STORED.exec(text) ?? [];
  if (name === undefined && version !== "active")
    throw usage(`not a version of a policy: ${text}`, "write payments@3 or @active");
  const choices = name === undefined || version === "active" ? [] : [{ policy: name, version: Number(version) }];
  const { policies } = await wholePolicies(cli.clients(), choices);
  const chosen = policies
    .map(({ document }) => JSON.parse(document) as PolicyDocument)
    .filter(({ metadata }) => name === undefined || metadata.name === name);
  if (chosen.length === 0) throw new Stop(exitCodes.no, `no policy ${name ?? ""} is in force`);
  const { noDocuments } = await loadEngine();
  return {
    name: text,
    documents: { ...noDocuments(), policies: chosen, tools: await registeredTools(cli.clients()) },
    tests: [],
  };
}

/** Reads one side: a file, a directory, or what the service has. */
export function readSide(cli: Cli, text: string): Promise<Side> {
  return isStored(text) ? storedSide(cli, text) : filesSide(cli, text);
}

/**
 * Where one side says nothing of tools or agents it is compared beside the other's: a policy alone says nothing of what
 * it is about. The service has policies and tools; of other kinds only files are compared.
 */
export function besideEachOther(from: Side, to: Side): [Side, Side] {
  const filled = (side: Side, other: Side): Side => {
    const { documents } = side;
    const shared = (["tools", "agents", "budgets", "groups"] as const).filter((kind) => documents[kind].length === 0);
    const lent = Object.fromEntries(shared.map((kind) => [kind, other.documents[kind]]));
    return { ...side, documents: { ...documents, ...lent } };
  };
  return [filled(from, to), filled(to, from)];
}
