import { type ConfigKey, commandVariables, type Knob, knobs, variableOf } from "./schema.ts";

function row(key: string, knob: Knob<unknown>): string {
  const start = knob.default === undefined ? (knob.absent ?? "") : `\`${knob.default}\``;
  return `| \`${key}\` | \`${variableOf(key)}\` | ${start} | ${knob.expected} | ${knob.doc} |`;
}

/** docs/configuration.md, whole. */
export function configurationPage(): string {
  const keys = Object.keys(knobs) as ConfigKey[];
  return [
    "# Configuration",
    "",
    "This page is written from `services/pdp/src/config/schema.ts`; a test keeps the two equal.",
    "",
    "A value comes from the command line, else from the environment, else from `remit.yaml` in the working directory",
    "(`--config` or `REMIT_CONFIG` names another file), else it is the default. Unknown keys, and unknown variables that",
    "start with `REMIT_`, are errors. All problems are reported at once, and the process exits with 78.",
    "",
    "| key | variable | default | value | what it does |",
    "|---|---|---|---|---|",
    ...keys.map((key) => row(key, knobs[key])),
    "",
    "Variables of those who ask the service, which are no settings of the service itself:",
    "",
    "| variable | what it does |",
    "|---|---|",
    ...Object.entries(commandVariables).map(([name, doc]) => `| \`${name}\` | ${doc} |`),
    "| `REMIT_ADMIN_ADDRESS` | Where commands find the admin services, too. |",
    "",
    "The service prints no secret: the URLs of Postgres and the key-encryption keys appear as `[secret]`, and a wrong",
    "value of theirs is not repeated in the error.",
    "",
  ].join("\n");
}
