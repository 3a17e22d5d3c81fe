import { type ConfigKey, type Knob, knobs, variableOf } from "../services/pdp/src/config/schema.ts";
import { type Schema, secretRef, type Value } from "./shape.ts";

/** Settings that the chart decides itself, and what it says about each. */
const settled: Partial<Record<ConfigKey, string>> = {
  mode: "always `production`",
  httpAddress: "`listenHost` and 7080",
  grpcAddress: "`listenHost` and 7081",
  adminAddress: "`listenHost` and 7082",
  metricsAddress: "`listenHost` and 7083",
  dataDir: "the embedded Postgres is not in the image",
  migrationUrl: "`migration.secret`, for the migrate Job alone",
  serverCertificateFile: "`tls.crt` of `tls.secretName`",
  serverKeyFile: "`tls.key` of `tls.secretName`",
  clientTrustFile: "`tls.trustKey` of `tls.secretName`, or `tls.trustConfigMap`",
};

const keys = Object.keys(knobs) as ConfigKey[];
const knobOf = (key: ConfigKey): Knob<unknown> => knobs[key];
const isSecret = (key: ConfigKey) => knobOf(key).secret === true && settled[key] === undefined;

/** Settings that stand in `remit.yaml`: those that are neither secret nor settled. */
export const openKeys = keys.filter((key) => settled[key] === undefined && knobOf(key).secret !== true);

/** Settings that come from Secrets. */
export const secretKeys = keys.filter(isSecret);

/** Of these one cannot start in production without the setting. */
export const neededSecrets: readonly ConfigKey[] = ["databaseUrl", "keyEncryptionKey"];

/** What a setting may be, from the schema that the service reads it with. */
function shapeOf(key: ConfigKey): Schema {
  const { $schema: _, ...shape } = knobOf(key).schema.toJSONSchema({ io: "output", unrepresentable: "any" });
  return Object.keys(shape).length === 0 ? { type: ["string", "integer"] } : shape;
}

/** `config`, and a Secret for every setting that is one. */
export function settingValues(): Value[] {
  const properties = Object.fromEntries(
    openKeys.map((key) => [key, { ...shapeOf(key), description: knobOf(key).doc }]),
  );
  const grace = Number(knobs.shutdownGraceMs.default);
  return [
    {
      path: "config",
      doc: "Settings of the service by their names in docs/configuration.md; what is absent has its default. `transport` has none here, since the service is reached from other machines: say `tls` and name a Secret under `tls`, `mesh` where a proxy beside the service says who asks, or `insecure` where something else protects its connections.",
      default: { shutdownGraceMs: grace },
      schema: { type: "object", additionalProperties: false, properties },
    },
    ...secretKeys.flatMap((key) =>
      secretRef(
        `secrets.${key}`,
        key,
        `An existing Secret for ${variableOf(key)}. ${knobOf(key).doc}${neededSecrets.includes(key) ? " Needed." : ""}`,
      ),
    ),
  ];
}

/** The table of settings in the chart's README. */
export function settingRows(): string[] {
  return keys.map((key) => {
    const how = settled[key] ?? (isSecret(key) ? `\`secrets.${key}\`` : `\`config.${key}\``);
    const start = knobOf(key).default;
    return `| \`${key}\` | ${how} | ${start === undefined || settled[key] !== undefined ? "" : `\`${start}\``} |`;
  });
}
