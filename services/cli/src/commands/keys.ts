import { createHash, randomBytes } from "node:crypto";
import { create as createMessage, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type Caller,
  CreateKeyResponseSchema,
  ListCallersResponseSchema,
  RevokeKeyResponseSchema,
} from "@remit/proto/admin";
import { type Command, InvalidArgumentError, Option } from "commander";
import { collect } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { everyItem } from "../pages.ts";
import { proposedBy, takesOthers } from "../proposing.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";
import { addCustody } from "./custody.ts";

const roles = [
  ...["viewer", "diagnose", "approver", "policy-author", "policy-approver", "operator", "owner"],
  "cell-operator",
];

interface CreateOptions {
  role?: string[];
  agent?: string[];
  assertPrincipals?: boolean;
  keyHash?: string;
  json?: boolean;
}

function hashFrom(text: string): Uint8Array {
  const hex = text.replace(/^sha256:/, "");
  if (/^[0-9a-f]{64}$/.test(hex)) return Buffer.from(hex, "hex");
  throw usage("--key-hash takes 64 hex digits", "the SHA-256 of remit/api-key/v1, a line break and the key");
}

async function create(cli: Cli, name: string, options: CreateOptions): Promise<void> {
  const wanted = {
    name,
    roles: options.role ?? [],
    agents: options.agent ?? [],
    mayAssertPrincipals: options.assertPrincipals ?? false,
    ...(options.keyHash !== undefined && { keyHash: hashFrom(options.keyHash) }),
  };
  const { caller } = cli.clients();
  const answer = await caller.createKey(wanted).catch(async (error: unknown) => {
    if (!takesOthers(error)) throw error;
    // Others have to agree: the key is made here, they see its hash, and it begins to work when they have approved it.
    const key = `rmt_${randomBytes(32).toString("base64url")}`;
    const keyHash = createHash("sha256").update(`remit/api-key/v1\n${key}`).digest();
    return caller.createKey({ ...wanted, keyHash }).catch((proposed: unknown) => {
      if (proposedBy(proposed)) {
        cli.io.err(`the key of ${name}, which works once the change is applied; it is not shown again:`);
        cli.io.out(key);
      }
      throw proposed;
    });
  });
  if (options.json) return printJson(cli.io, toJson(CreateKeyResponseSchema, answer));
  if (answer.key === "") return cli.io.out(`${name} (${answer.caller?.id}) has the key of this hash`);
  cli.io.err(`the key of ${name} (${answer.caller?.id}); it is not shown again:`);
  cli.io.out(answer.key);
}

const kinds = ["key", "jwt", "spiffe", "person"] as const;

interface ListOptions {
  kind?: string;
  json?: boolean;
}

/** What others call somebody: of a person their name, where whoever asks may see it. */
function nameOf({ name, displayName, email }: Caller): string {
  const shown = [displayName, email === "" ? "" : `<${email}>`].filter((part) => part !== "").join(" ");
  return shown === "" ? name : `${name} (${shown})`;
}

async function list(cli: Cli, { kind, json }: ListOptions): Promise<void> {
  const { caller: client } = cli.clients();
  const all = await everyItem(
    (page) => client.listCallers(page),
    (page) => page.callers,
    { io: cli.io, what: "callers" },
  );
  const callers = all.filter((caller) => kind === undefined || caller.kind === kind);
  if (json)
    return printJson(cli.io, toJson(ListCallersResponseSchema, createMessage(ListCallersResponseSchema, { callers })));
  const rows = callers.map((caller) => {
    // What proves itself by somebody else's word has the rights of the bindings that match then.
    const bound = caller.kind !== "key";
    return [
      caller.id,
      nameOf(caller),
      caller.kind,
      bound ? "by bindings" : caller.roles.join(","),
      bound ? "by bindings" : caller.agents.join(",") || "none",
      caller.mayAssertPrincipals ? "yes" : "no",
      caller.createdAt === undefined ? "" : timestampDate(caller.createdAt).toISOString(),
      caller.revoked ? "revoked" : "active",
    ];
  });
  const titles = ["ID", "NAME", "KIND", "ROLES", "AGENTS", "ASSERTS", "CREATED", "STATE"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

/** `remit keys`: create, list, revoke; and the keys that the service keeps. */
export function addKeys(program: Command, cli: Cli): void {
  const keys = program.command("keys").description("who speaks to Remit: API keys of workloads, and people who log in");
  const made = keys
    .command("create <name>")
    .description("make a key; it is printed once and nowhere else")
    .option("--role <role>", `what it may do on the admin plane: ${roles.join(", ")}; several times`, checkedRole)
    .option("--agent <glob>", "agents that it may open sessions for; several times", collect)
    .option("--assert-principals", "it may say on whose behalf an agent acts")
    .option("--key-hash <hex>", "of a key that its user has made: nobody else ever sees the key")
    .option("--json", "for machines")
    .action((name: string, options: CreateOptions) => create(cli, name, options));
  examples(made, [
    ["for a service that runs one agent", "remit keys create billing-worker --agent bookkeeper --assert-principals"],
    ["for somebody who only looks", "remit keys create dashboard --role viewer"],
  ]);
  const listed = keys
    .command("list")
    .description("who may speak to this service: keys, and workloads and people as they came")
    .addOption(new Option("--kind <kind>", "of this kind").choices(kinds))
    .option("--json", "for machines")
    .action((options: ListOptions) => list(cli, options));
  examples(listed, [
    ["every caller with its roles", "remit keys list"],
    ["which people have come in?", "remit keys list --kind person"],
  ]);
  const revoked = keys
    .command("revoke <id>")
    .description("end a key at once, or what proves a workload or a person: no token lets them in again")
    .option("--json", "for machines")
    .action(async (callerId: string, options: { json?: boolean }) => {
      const answer = await cli.clients().caller.revokeKey({ callerId });
      if (options.json) printJson(cli.io, toJson(RevokeKeyResponseSchema, answer));
      else cli.io.out(`revoked ${answer.caller?.name ?? callerId}; revision ${answer.revision}`);
    });
  examples(revoked, [["the id stands in `remit keys list`", "remit keys revoke 5b0c9f5e-..."]]);
  addCustody(keys, cli);
}

function checkedRole(value: string, before: readonly string[] = []): string[] {
  if (!roles.includes(value)) throw new InvalidArgumentError(`Allowed choices are ${roles.join(", ")}.`);
  return [...before, value];
}
