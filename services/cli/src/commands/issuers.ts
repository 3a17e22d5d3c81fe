import { create, toJson } from "@bufbuild/protobuf";
import { DeleteIssuersResponseSchema, ListIssuersResponseSchema, PutIssuerResponseSchema } from "@remit/proto/admin";
import { type Command, Option } from "commander";
import { collect, pairs, seconds, textOf } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { everyItem } from "../pages.ts";
import { table } from "../table.ts";

interface PutOptions {
  profile: string;
  use: string;
  issuer: string;
  audience: string[];
  jwksUri?: string;
  jwks?: string;
  algorithm?: string[];
  subjectClaim?: string;
  groupsClaim?: string;
  label?: string[];
  tokenLifetime?: string;
  sessionLifetime?: string;
  principalPrefix?: string;
  dryRun?: boolean;
  json?: boolean;
}

async function keysFrom(cli: Cli, { jwks, jwksUri }: PutOptions) {
  if (jwks !== undefined) return { keys: { case: "jwks", value: await textOf(cli.io, jwks, "--jwks") } } as const;
  return jwksUri === undefined ? {} : ({ keys: { case: "jwksUri", value: jwksUri } } as const);
}

async function put(cli: Cli, name: string, options: PutOptions): Promise<void> {
  const { profile, use, issuer, audience: audiences, algorithm: algorithms = [] } = options;
  const life = (text: string | undefined, option: string) => (text === undefined ? 0 : seconds(text, option));
  const answer = await cli.clients().caller.putIssuer({
    issuer: {
      ...{ name, profile, use, issuer, audiences, algorithms },
      ...(await keysFrom(cli, options)),
      claims: {
        ...{ subject: options.subjectClaim ?? "", groups: options.groupsClaim ?? "" },
        labels: pairs(options.label, "--label"),
      },
      tokenSecondsMax: life(options.tokenLifetime, "--token-lifetime"),
      sessionSecondsMax: life(options.sessionLifetime, "--session-lifetime"),
      principalPrefix: options.principalPrefix ?? "",
    },
    dryRun: options.dryRun ?? false,
  });
  if (options.json) return printJson(cli.io, toJson(PutIssuerResponseSchema, answer));
  cli.io.out(`${options.dryRun ? "would trust" : "trusts"} ${name} for ${use}; revision ${answer.revision}`);
}

function addPut(issuers: Command, cli: Cli): void {
  const command = issuers
    .command("put <name>")
    .description("trust an issuer's tokens, or change how")
    .addOption(
      new Option("--profile <profile>", "how its tokens are read")
        .choices(["oidc", "kubernetes", "spiffe"])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--use <use>", "what its tokens say: which workload calls, for whom a session is, or who administers")
        .choices(["workloads", "principals", "people"])
        .makeOptionMandatory(),
    )
    .requiredOption("--issuer <iss>", "the iss of its tokens; for spiffe the trust domain, spiffe://example.org")
    .requiredOption("--audience <aud>", "an aud of its tokens, such as remit:<tenant>; several times", collect)
    .option("--jwks-uri <url>", "where its keys are (default: its discovery document says)")
    .option("--jwks <@file>", "its keys themselves: @FILE, or - for standard input")
    .option("--algorithm <alg>", "what it signs with; several times (default: every asymmetric one)", collect)
    .option("--subject-claim <claim>", "oidc: the claim that names the subject (default: sub)")
    .option("--groups-claim <claim>", "oidc: the claim that names groups (default: groups)")
    .option("--label <name=claim>", "a label of its principals, by the claim that holds it; several times", collect)
    .option(
      "--token-lifetime <duration>",
      "the longest that a token may live (default and most: 24h; of people 1h, at most 12h)",
    )
    .option("--session-lifetime <duration>", "the longest that a session for its principals may live (default: 24h)")
    .option("--principal-prefix <text>", "what the ids of its principals begin with")
    .option("--dry-run", "check, change nothing")
    .option("--json", "for machines")
    .action((name: string, options: PutOptions) => put(cli, name, options));
  examples(command, [
    [
      "service accounts of a cluster whose keys were saved",
      "remit issuers put cluster --profile kubernetes --use workloads --issuer https://kubernetes.default.svc --audience remit:default --jwks @keys.json",
    ],
    [
      "customers of a shop, as principals of sessions",
      "remit issuers put shop --profile oidc --use principals --issuer https://id.shop.example --audience agents",
    ],
  ]);
}

/** `remit issuers`: put, list, delete. */
export function addIssuers(program: Command, cli: Cli): void {
  const issuers = program.command("issuers").description("whose tokens are believed, and for what");
  addPut(issuers, cli);
  const listed = issuers
    .command("list")
    .description("every issuer that is trusted")
    .option("--json", "for machines")
    .action(async (options: { json?: boolean }) => {
      const { caller } = cli.clients();
      const found = await everyItem(
        (page) => caller.listIssuers(page),
        (page) => page.issuers,
      );
      if (options.json) {
        const answer = create(ListIssuersResponseSchema, { issuers: found });
        return printJson(cli.io, toJson(ListIssuersResponseSchema, answer));
      }
      const titles = ["NAME", "PROFILE", "USE", "ISSUER", "AUDIENCES"].map((title) => ({ title }));
      const rows = found.map(({ name, profile, use, issuer, audiences }) => {
        return [name, profile, use, issuer, audiences.join(",")];
      });
      for (const line of table(titles, rows)) cli.io.out(line);
    });
  examples(listed, [["whom this tenant believes", "remit issuers list"]]);
  const deleted = issuers
    .command("delete <names...>")
    .description("believe their tokens no more, at once")
    .option("--dry-run", "check, change nothing")
    .option("--json", "for machines")
    .action(async (names: string[], options: { dryRun?: boolean; json?: boolean }) => {
      const answer = await cli.clients().caller.deleteIssuers({ names, dryRun: options.dryRun ?? false });
      if (options.json) printJson(cli.io, toJson(DeleteIssuersResponseSchema, answer));
      else
        cli.io.out(`${options.dryRun ? "would delete" : "deleted"} ${names.join(", ")}; revision ${answer.revision}`);
    });
  examples(deleted, [["an issuer that was taken over", "remit issuers delete shop"]]);
}
