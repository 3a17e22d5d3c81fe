import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DecideRequestSchema } from "@remit/proto/decision";
import { amounts, jsonBytes } from "./arguments.ts";
import type { Cli } from "./cli.ts";
import { usage } from "./stop.ts";

/** A call as the options of a command name it. */
export interface CallOptions {
  input: string;
  context?: string;
  answers?: string;
  callId?: string;
  estimate?: string[];
  constraint?: string[];
  schemaDigest?: string;
}

/** What is asked of the service. */
export async function callRequest(cli: Cli, tool: string, options: CallOptions) {
  const { context, answers } = options;
  const call: MessageInitShape<typeof DecideRequestSchema> = {
    callId: options.callId ?? `cli-${randomUUID()}`,
    tool,
    input: { case: "inputJson", value: await jsonBytes(cli.io, options.input, "--input") },
    estimate: amounts(options.estimate, "--estimate"),
    supportedConstraints: options.constraint ?? [],
    toolSchemaDigest: options.schemaDigest ?? "",
  };
  if (context !== undefined)
    call.context = { case: "contextJson", value: await jsonBytes(cli.io, context, "--context") };
  if (answers !== undefined)
    call.answers = { case: "answersJson", value: await jsonBytes(cli.io, answers, "--answers") };
  return call;
}

/** Ends the command when no session is named. */
export function requireSession(cli: Cli, token: string | undefined): void {
  if (token !== undefined || (cli.io.env.REMIT_SESSION ?? "") !== "") return;
  throw usage("no session is named", "export REMIT_SESSION=... as `remit session open` prints it, or --session-token");
}
