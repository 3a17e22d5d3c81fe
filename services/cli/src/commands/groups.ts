import { create, toJson } from "@bufbuild/protobuf";
import { ListGroupsResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { everyItem } from "../pages.ts";
import { table } from "../table.ts";

async function listGroups(cli: Cli, json: boolean): Promise<void> {
  const { group: client } = cli.clients();
  const progress = { io: cli.io, what: "groups" };
  const groups = await everyItem(
    (page) => client.listGroups(page),
    (page) => page.groups,
    progress,
  );
  if (json) return printJson(cli.io, toJson(ListGroupsResponseSchema, create(ListGroupsResponseSchema, { groups })));
  const rows = groups.map(({ name, members }) => [name, String(members.length), members.join(",")]);
  const columns = [{ title: "NAME" }, { title: "MEMBERS", right: true }, { title: "WHO" }];
  for (const line of table(columns, rows)) cli.io.out(line);
}

/** `remit groups`. */
export function addGroups(program: Command, cli: Cli): void {
  const groups = program
    .command("groups")
    .description("groups of people, whom approvals name as group:<name>")
    .command("list")
    .description("every declared group with its members")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => listGroups(cli, options.json ?? false));
  examples(groups, [["declare groups with `remit apply`, then", "remit groups list"]]);
}
