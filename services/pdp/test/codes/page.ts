import { readFileSync } from "node:fs";
import type { DescEnum } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import { EffectSchema, ModeSchema } from "@remit/proto/common";
import { Approval_StateSchema, OutcomeSchema } from "@remit/proto/decision";
import { Session_StateSchema } from "@remit/proto/session";
import { localCodes } from "../../../../sdk-node/src/local-codes.ts";
import { decisionCodes } from "../../src/decisions/codes.ts";
import { errorReasons } from "../../src/foundation/reasons.ts";
import { startReasons } from "../../src/foundation/start-reasons.ts";
import { statusCodes } from "../../src/wire/errors.ts";

/** A real request and its answer, kept by the door test that asks it. */
const examplePath = new URL("./example.txt", import.meta.url);

/** The canonical name of a status: INVALID_ARGUMENT. */
export function statusName(code: number): string {
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

const statusesOf = (kinds: readonly (keyof typeof statusCodes)[]): string =>
  kinds.map((kind) => statusName(statusCodes[kind])).join(", ");

function words(schema: DescEnum): string[] {
  const known = schema.values.filter(({ number }) => number !== 0);
  const short = (name: string) => name.slice(schema.sharedPrefix?.length ?? 0).toLowerCase();
  return known.map(({ name }) => `\`${short(name)}\` is \`${name}\``);
}

function statusRows(): string[] {
  const numbers = [...new Set(Object.values(statusCodes))].sort((a, b) => a - b);
  return numbers.map((code) => {
    const name = statusName(code);
    return `| ${name} | ${code} | \`${codeToString(code)}\` | ${codeToHttpStatus(code)} |`;
  });
}

interface Example {
  readonly what: string;
  readonly request: unknown;
  readonly status: number;
  readonly answer: unknown;
}

function example({ what, request, status, answer }: Example): string[] {
  const fenced = (value: unknown): string[] => ["```json", JSON.stringify(value, undefined, 2), "```"];
  return [`${what}:`, "", ...fenced(request), "", `answers ${status}:`, "", ...fenced(answer), ""];
}

const given = Object.entries(decisionCodes).filter(([, row]) => !("later" in row));
const later = Object.entries(decisionCodes).flatMap(([code, row]) => ("later" in row ? [{ code, ...row }] : []));

/** docs/codes.md, whole. */
export function codesPage(): string {
  const examples = JSON.parse(readFileSync(examplePath, "utf8")) as Example[];
  return [
    "# Codes",
    "",
    "This page is written from `decisions/codes.ts`, `foundation/reasons.ts` and `foundation/start-reasons.ts` of the",
    "service and `local-codes.ts` of the SDK; a test keeps them equal, and another provokes every row.",
    "",
    "What Remit cannot authenticate, parse or record is an **error** of the RPC. Everything else is a recorded **decision**,",
    "a denial too. Both carry a code that stays the same from release to release, so an agent may branch on it.",
    "",
    "## Decisions",
    "",
    "| code | effect | what it means | what to do | since |",
    "|---|---|---|---|---|",
    ...given.map(
      ([code, { effects, means, todo, since }]) =>
        `| \`${code}\` | ${effects.join(", ")} | ${means} | ${todo} | ${since} |`,
    ),
    "",
    ...later.map(({ code, later: when }) => `Known, and not given ${when}: \`${code}\`.`),
    "",
    "## Errors",
    "",
    "Each carries an `ErrorDetail`: `reason` (below), `field`, `limit`, `fix`, `retryable`.",
    "",
    "| reason | status | what it means | what to do | since |",
    "|---|---|---|---|---|",
    ...Object.entries(errorReasons).map(
      ([reason, { kinds, means, todo, since }]) =>
        `| \`${reason}\` | ${statusesOf(kinds)} | ${means} | ${todo} | ${since} |`,
    ),
    "",
    "## Denials that the SDK makes by itself",
    "",
    "When there is no answer that can be honoured, the tool does not run, and the SDK says so with a code of its own:",
    "`local` is true.",
    "",
    "| code | what it means | what to do |",
    "|---|---|---|",
    ...Object.entries(localCodes).map(([code, { means, todo }]) => `| \`${code}\` | ${means} | ${todo} |`),
    "",
    "## Why a service does not start",
    "",
    "| reason | what it means |",
    "|---|---|",
    ...Object.entries(startReasons).map(([reason, means]) => `| \`${reason}\` | ${means} |`),
    "",
    "## How it is spelt in JSON",
    "",
    "Over HTTP a request is `POST /remit.v1.DecisionService/Decide` with `content-type: application/json`. Fields are in",
    'camel case, 64-bit numbers are strings, times are RFC 3339, durations are seconds such as `"10s"`. Fields that hold',
    "their default are left out. Words are spelt with their kind before them:",
    "",
    `- effects: ${words(EffectSchema).join(", ")}`,
    `- modes: ${words(ModeSchema).join(", ")}`,
    `- outcomes of a report: ${words(OutcomeSchema).join(", ")}`,
    `- states of an approval: ${words(Approval_StateSchema).join(", ")}`,
    `- states of a session: ${words(Session_StateSchema).join(", ")}`,
    "",
    "The status of an error is `code`, in small letters, and the status of HTTP; its detail is readable as",
    "`details[0].debug`.",
    "",
    "| status | number | `code` in JSON | HTTP |",
    "|---|--:|---|--:|",
    ...statusRows(),
    "",
    ...examples.flatMap(example),
  ].join("\n");
}
