import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { knobs } from "../services/pdp/src/config/schema.ts";
import { createMetrics } from "../services/pdp/src/telemetry/index.ts";
import { pages } from "./pages.ts";
import { neededSecrets, openKeys, secretKeys } from "./settings.ts";
import { values } from "./values.ts";

const chart = join(import.meta.dirname, "remit");
const read = (path: string) => readFileSync(join(chart, path), "utf8");
const templates = readdirSync(join(chart, "templates")).map((file) => read(`templates/${file}`));

test.each(Object.keys(pages()))("%s is what the values and settings give; `npm run gen` writes it anew", (path) => {
  expect(read(path)).toBe(pages()[path]);
});

describe("settings of the service", () => {
  const schema = JSON.parse(pages()["values.schema.json"] ?? "");

  test("each has one place in the chart: config, a Secret, or what the chart settles", () => {
    const settled = [
      ...["mode", "httpAddress", "grpcAddress", "adminAddress", "metricsAddress", "dataDir", "migrationUrl"],
      ...["serverCertificateFile", "serverKeyFile", "clientTrustFile"],
    ];
    expect([...openKeys, ...secretKeys, ...settled].sort()).toEqual(Object.keys(knobs).sort());
  });

  test("the values schema takes what the service takes, and nothing that it does not know", () => {
    const { properties, additionalProperties } = schema.properties.config;
    expect(additionalProperties).toBe(false);
    expect(properties.writers).toMatchObject({ type: "integer", minimum: 1, maximum: 16 });
    expect(properties.transport.enum).toEqual(["loopback", "tls", "mesh", "insecure"]);
    for (const key of openKeys) {
      const written = knobs[key].schema.safeParse(properties[key].minimum ?? properties[key].enum?.[0]);
      if (properties[key].type === "integer" || properties[key].enum) expect(written.success, key).toBe(true);
    }
  });

  test("no secret is a value, and the service's own default is never a transport", () => {
    expect(openKeys.filter((key) => "secret" in knobs[key])).toEqual([]);
    expect(neededSecrets.every((key) => secretKeys.includes(key))).toBe(true);
    expect(values.find(({ path }) => path === "config")?.default).not.toHaveProperty("transport");
  });

  test("the ports of the templates are the service's", () => {
    const config = read("templates/configmap.yaml");
    for (const key of ["httpAddress", "grpcAddress", "adminAddress", "metricsAddress"] as const) {
      const port = knobs[key].default.split(":")[1];
      expect(config).toContain(`${key}: "{{ .Values.listenHost }}:${port}"`);
      expect(read("templates/deployment.yaml")).toContain(
        `name: ${key.replace("Address", "")}, containerPort: ${port}`,
      );
    }
  });
});

test("every value is used by a template, and every value that a template uses exists", () => {
  const used = new Set(
    templates.flatMap((text) => [...text.matchAll(/\.Values((?:\.\w+)+)/g)].map(([, path = ""]) => path.slice(1))),
  );
  const paths = values.map(({ path }) => path);
  const fits = (one: string, other: string) =>
    one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
  for (const path of used)
    expect(
      paths.some((known) => fits(path, known)),
      path,
    ).toBe(true);
  for (const path of paths)
    expect(
      [...used].some((one) => fits(path, one)),
      path,
    ).toBe(true);
});

test("every alarm asks for metrics that the service has", async () => {
  const nothing = () => 0;
  const revoked = () => ({ revocations: 0, halts: 0 });
  const sequencer = async () => ({ size: 0n, lagSeconds: 0, gap: undefined });
  const pulledBy = (name: string | symbol) => ({ revoked, sequencer })[String(name)] ?? nothing;
  const pull = new Proxy({}, { get: (_, name) => pulledBy(name) }) as Parameters<typeof createMetrics>[0]["pull"];
  const { text } = await createMetrics({ pull }).page();
  const asked = [...read("templates/prometheusrule.yaml").matchAll(/remit_[a-z_]+/g)].map(([name]) => name);
  expect(asked.length).toBeGreaterThan(3);
  for (const name of asked) expect(text).toContain(`# TYPE ${name} `);
});

test("every alarm that docs/operating.md speaks of is there", () => {
  const page = readFileSync(join(chart, "../../docs/operating.md"), "utf8");
  const alarms = [...page.matchAll(/^\| `(remit_\w+)[^|]*\|.*\balarm\b.*\|$/gm)].map(([, name = ""]) => name);
  expect(alarms.length).toBeGreaterThan(2);
  for (const name of alarms) expect(read("templates/prometheusrule.yaml")).toContain(`${name}{{ $of }}`);
});

test("the chart and the image are of one version", () => {
  const { version } = JSON.parse(readFileSync(join(chart, "../../services/cli/package.json"), "utf8"));
  expect(parse(read("Chart.yaml"))).toMatchObject({ version, appVersion: version });
});
