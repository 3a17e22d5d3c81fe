import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { accepted } from "./accepted.ts";
import { objections, type Rendered } from "./rules.ts";
import { getTools, missing, run, type Tools } from "./tools.ts";

/**
 * Lints the chart and renders it with Helm itself, holds what comes out against the API schemas of two versions of
 * Kubernetes and against our own rules, and sees that what must not be rendered is not. Needs Go and pip, which bring the
 * rest once.
 */
const here = fileURLToPath(new URL("..", import.meta.url));
const chart = join(here, "remit");
const minimal = join(here, "ci/minimal.yaml");

const good: Readonly<Record<string, readonly string[]>> = {
  minimal: [minimal],
  everything: [join(here, "ci/everything.yaml")],
  bare: [join(here, "ci/bare.yaml")],
  tls: [minimal, join(here, "ci/tls.yaml")],
  istio: [minimal, join(here, "examples/istio/values.yaml")],
  linkerd: [minimal, join(here, "examples/linkerd/values.yaml")],
};

/** What is asked for, and a part of what is said instead of rendering it. */
const refused: readonly (readonly [readonly string[], string])[] = [
  [[], "config.transport is not settled"],
  [["-f", minimal, "--set", "config.transport=loopback"], "config.transport is not settled"],
  [["-f", minimal, "--set", "config.transport=https"], "transport"],
  [["-f", minimal, "--set", "config.transport=tls"], "tls.secretName is missing"],
  [["-f", minimal, "--set", "config.transport=mesh"], "config.meshIdentity is missing"],
  [["-f", minimal, "--set", "tls.secretName=a"], "config.transport=tls alone"],
  [["-f", minimal, "--set", "secrets.databaseUrl.name="], "secrets.databaseUrl.name is missing"],
  [["-f", minimal, "--set", "secrets.keyEncryptionKey.name="], "REMIT_KEY_ENCRYPTION_KEY"],
  [["-f", minimal, "--set", "migration.secret.name="], "migration.secret.name is missing"],
  [["-f", minimal, "--set", "config.databaseUrl=postgres://u:p@h/d"], "databaseUrl"],
  [["-f", minimal, "--set", "config.writers=17"], "writers"],
  [["-f", minimal, "--set", "config.writerz=2"], "writerz"],
  [["-f", minimal, "--set", "replicaCount=2"], "replicaCount"],
  [["-f", minimal, "--set", "autoscaling.enabled=true,autoscaling.minReplicas=11"], "above autoscaling.maxReplicas"],
];

const read = (text: string) =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((one) => one !== null);

function checkGood(helm: string, scratch: string): string[] {
  return Object.entries(good).map(([name, files]) => {
    const options = files.flatMap((file) => ["-f", file]);
    run(helm, ["lint", chart, "--strict", "--quiet", ...options]);
    const text = run(helm, [
      "template",
      "remit",
      chart,
      "--namespace",
      "agents",
      "--kube-version",
      "1.34.0",
      ...options,
    ]);
    const file = join(scratch, `${name}.yaml`);
    writeFileSync(file, text);
    const objects = read(text);
    console.log(`${name}: ${objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).join(", ")}`);
    const mesh = join(here, "examples", name, "mesh.yaml");
    const around = existsSync(mesh) ? read(readFileSync(mesh, "utf8")) : [];
    const against = [...objections([...objects, ...around]), ...accepted(objects)];
    if (against.length > 0) throw new Error(`${name}:\n${against.join("\n")}`);
    return file;
  });
}

/** The page that lists what is installed lists just that. */
function checkPage(text: string): void {
  const page = readFileSync(join(here, "../docs/kubernetes.md"), "utf8");
  const listed = [...page.matchAll(/^\| `(\w+\/[\w-]+)` \|/gm)].map(([, name]) => name).sort();
  const rendered = read(text)
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    .sort();
  if (listed.join() !== rendered.join()) {
    throw new Error(`docs/kubernetes.md lists ${listed.join(", ")}; rendered were ${rendered.join(", ")}`);
  }
}

function checkRefused(helm: string): void {
  for (const [args, told] of refused) {
    const { status, stderr } = spawnSync(helm, ["template", "remit", chart, ...args], { encoding: "utf8" });
    if (status === 0 || !stderr.includes(told)) {
      throw new Error(
        `helm template ${args.join(" ")} should have said ${JSON.stringify(told)}:\n${stderr || "rendered"}`,
      );
    }
  }
  console.log(`${refused.length} sets of values that must not be rendered are refused, each with its reason`);
}

/** What is wrong on purpose, and where: a check that lets everything through would pass, too. */
const slips: readonly (readonly [string, string])[] = [
  ["enableServiceLinks: false", "enableServiceLinkz: false"],
  ["endpoints:", "endpointz:"],
  ["proxyProtocol: gRPC", "proxyProtocol: SMTP"],
  ["mtls: { mode: STRICT }", "mtls: { moode: STRICT }"],
  ["serviceAccountToken:", "serviceAccountTokens:"],
];

function checkTheCheck(validate: Tools["validate"], scratch: string, files: readonly string[]): void {
  for (const [right, wrong] of slips) {
    const source = files.find((file) => readFileSync(file, "utf8").includes(right)) ?? "";
    const file = join(scratch, "wrong.yaml");
    writeFileSync(file, readFileSync(source, "utf8").replace(right, wrong));
    let said = "the schemas let it through";
    try {
      validate([file]);
    } catch (error) {
      said = String(error);
    }
    if (!said.includes("is invalid")) throw new Error(`${wrong} in ${basename(source)}: ${said}`);
  }
  console.log(`${slips.length} slips of the pen are found by the schemas`);
}

const without = missing();
if (without.length > 0) {
  console.error(
    `checking the chart needs ${without.join(" and ")}: Helm, kubeconform and the schemas come through them`,
  );
  process.exit(1);
}
const scratch = mkdtempSync(join(tmpdir(), "remit-chart-"));
try {
  const schemas = join(scratch, "schemas");
  mkdirSync(schemas);
  const { helm, validate } = getTools(schemas);
  const files = [
    ...checkGood(helm, scratch),
    join(here, "examples/istio/mesh.yaml"),
    join(here, "examples/linkerd/mesh.yaml"),
    join(here, "examples/linkerd/workload.yaml"),
  ];
  for (const line of validate(files)) console.log(line.replaceAll(`${scratch}/`, "").replaceAll(here, ""));
  checkPage(readFileSync(join(scratch, "minimal.yaml"), "utf8"));
  checkTheCheck(validate, scratch, files);
  checkRefused(helm);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
