import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { ListSigningKeysResponseSchema, RotateSigningKeyResponseSchema } from "@remit/proto/keys";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";

const at = (time: Timestamp | undefined) => (time === undefined ? "" : timestampDate(time).toISOString());

async function listSigning(cli: Cli, options: { json?: boolean }): Promise<void> {
  const answer = await cli.clients().keys.listSigningKeys({});
  if (options.json) return printJson(cli.io, toJson(ListSigningKeysResponseSchema, answer));
  const rows = answer.keys.map((key) => [key.kid, key.state, at(key.createdAt), at(key.retiredAt), key.wrappedBy]);
  const titles = ["KID", "STATE", "CREATED", "RETIRED", "WRAPPED BY"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

async function rotate(cli: Cli, options: { retireNow?: boolean; json?: boolean }): Promise<void> {
  const answer = await cli.clients().keys.rotateSigningKey({ retireNow: options.retireNow ?? false });
  if (options.json) return printJson(cli.io, toJson(RotateSigningKeyResponseSchema, answer));
  cli.io.out(`${answer.kid} signs from now on`);
  for (const kid of answer.retired) cli.io.out(`${kid} is retired`);
}

async function rewrap(cli: Cli, options: { json?: boolean }): Promise<void> {
  let [signingKeys, dataKeys] = [0, 0];
  for (let more = true; more; ) {
    const answer = await cli.clients().keys.rewrapKeys({});
    signingKeys += answer.signingKeys;
    dataKeys += answer.dataKeys;
    more = answer.more;
    if (more) cli.io.err(`${signingKeys + dataKeys} keys so far ...`);
  }
  if (options.json) return printJson(cli.io, { signingKeys, dataKeys });
  cli.io.out(`rewrapped ${signingKeys} signing keys and ${dataKeys} data keys`);
  cli.io.out("every key is wrapped by the current key-encryption key: the previous one can be taken away");
}

async function seal(cli: Cli, options: { yes?: boolean }): Promise<void> {
  if (!options.yes) {
    const fix = "when every replica runs a build that reads sealed entries: remit keys seal --yes";
    throw usage("sealing cannot be turned off, and builds of schema 3 and before cannot read what is sealed", fix);
  }
  await cli.clients().keys.enableSealing({});
  cli.io.out("what is recorded from now on is sealed");
}

/** `remit keys signing`, `remit keys rewrap` and `remit keys seal`: the keys that the service itself keeps. */
export function addCustody(keys: Command, cli: Cli): void {
  const signing = keys.command("signing").description("the keys that sign session tokens; take the role cell-operator");
  const listed = signing
    .command("list")
    .description("every signing key: the newest signs, the one before it verifies")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => listSigning(cli, options));
  examples(listed, [["which key signs, and since when", "remit keys signing list"]]);
  const rotated = signing
    .command("rotate")
    .description("make the key that signs from now on; the one before it verifies until no token of it is of use")
    .option("--retire-now", "end all older keys at once, whatever they signed: after a leak")
    .option("--json", "for machines")
    .action((options: { retireNow?: boolean; json?: boolean }) => rotate(cli, options));
  examples(rotated, [
    ["before its age makes the service do it", "remit keys signing rotate"],
    ["a key has leaked: sessions go on with renewed tokens", "remit keys signing rotate --retire-now"],
  ]);
  const rewrapped = keys
    .command("rewrap")
    .description("wrap every stored key by the current key-encryption key; takes the role cell-operator")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => rewrap(cli, options));
  examples(rewrapped, [["after REMIT_KEY_ENCRYPTION_KEY was replaced at every replica", "remit keys rewrap"]]);
  const sealed = keys
    .command("seal")
    .description("seal what is recorded from now on under tenants' keys; takes the role cell-operator; not undone")
    .option("--yes", "every replica runs a build that can read it")
    .action((options: { yes?: boolean }) => seal(cli, options));
  examples(sealed, [["once, after the last replica of an older build is gone", "remit keys seal --yes"]]);
}

async function erase(cli: Cli, tenant: string, options: { confirm?: string; json?: boolean }): Promise<void> {
  if (options.confirm !== tenant) {
    const what = `erasing ${tenant} destroys what its entries say, its sessions' principals, its documents and its keys, for good`;
    throw usage(
      what,
      `nothing was done yet; to do it, repeat the name: remit tenants erase ${tenant} --confirm ${tenant}`,
    );
  }
  let rows = 0;
  for (let more = true; more; ) {
    const answer = await cli.clients().keys.eraseTenant({ tenant, confirm: options.confirm });
    rows += answer.rows;
    more = answer.more;
    if (more) cli.io.err(`${rows} rows so far ...`);
  }
  if (options.json) return printJson(cli.io, { tenant, rows });
  cli.io.out(`${tenant} is erased: its data key is destroyed, ${rows} rows were blanked or removed`);
  cli.io.out("copies of the database keep the wrapped key: see Erasing a tenant in docs/operating.md");
}

/** `remit tenants erase`. */
export function addErase(tenants: Command, cli: Cli): void {
  const erased = tenants
    .command("erase <tenant>")
    .description("destroy a stopped tenant's data key and blank its rows; takes the role cell-operator; not undone")
    .option("--confirm <tenant>", "its name once more; without it nothing is done")
    .option("--json", "for machines")
    .action((tenant: string, options: { confirm?: string; json?: boolean }) => erase(cli, tenant, options));
  examples(erased, [
    ["stop it", "remit tenants set acme --status closing"],
    ["then", "remit tenants erase acme --confirm acme"],
  ]);
}
