import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { cacheDirectory } from "../../.tools/cache.ts";
import { schemasOf } from "./crd.ts";
import { linkerdSchemas } from "./linkerd.ts";

/** What the chart is checked with. Everything is pinned, and kept under the user's cache once it was got. */
const pinned = {
  helm: "helm.sh/helm/v4/cmd/helm@v4.3.1",
  kubeconform: "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
  istio: "istio.io/api@v1.31.1",
  prometheusOperator: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
  kubernetes: {
    requirement: "kubernetes-validate==1.37.0",
    sha256: "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9",
  },
} as const;

/** The Kubernetes that the rendered objects are held against: the newest that the schemas know, and the oldest that the chart takes. */
const kubernetesVersions = ["1.34.0", "1.37.0"] as const;

export function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): string {
  const ended = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
  });
  if (ended.status === 0) return ended.stdout;
  const said = `${ended.stdout ?? ""}${ended.stderr ?? ""}`.trim() || String(ended.error);
  throw new Error(`${command} ${args.join(" ")} ended with ${ended.status}:\n${said}`);
}

/** What is kept under a name, got now where it is not yet there: twice, since a download may fail for a moment. */
function cached(name: string, fill: (directory: string) => void): string {
  const directory = cacheDirectory(name);
  if (existsSync(directory)) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  try {
    return filled(directory, fill);
  } catch (error) {
    console.log(`${name}, tried once more after this: ${(error as Error).message}`);
    return filled(directory, fill);
  }
}

/** Fills a directory of the cache once: half a directory is never taken for a whole one. */
function filled(directory: string, fill: (directory: string) => void): string {
  const fresh = mkdtempSync(`${directory}-`);
  try {
    fill(fresh);
    renameSync(fresh, directory);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Somebody else was first: theirs is as good.
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
  }
  return directory;
}

/** The programs and schemas that are missing on this machine, or nothing. */
export function missing(): string[] {
  const needed = { go: ["version"], python3: ["-m", "pip", "--version"] };
  return Object.entries(needed).flatMap(([name, args]) => (spawnSync(name, args).status === 0 ? [] : [name]));
}

function goTool(name: "helm" | "kubeconform"): string {
  const version = pinned[name].split("@")[1];
  const directory = cached(`${name}-${version}`, (fresh) => {
    console.log(`building ${pinned[name]}: some minutes, once`);
    run("go", ["install", pinned[name]], { env: { ...process.env, GOBIN: fresh, GOFLAGS: "-trimpath" } });
  });
  return join(directory, name);
}

/** Where Go keeps the sources of a module. */
function goModule(module: string): string {
  return (JSON.parse(run("go", ["mod", "download", "-json", module])) as { Dir: string }).Dir;
}

function write(directory: string, schemas: Readonly<Record<string, object>>): void {
  for (const [name, schema] of Object.entries(schemas)) {
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(schema));
  }
}

/** Their files refer to each other by addresses; beside each other they do so by their names. */
function besideEachOther(text: string): string {
  const { $id: _, ...schema } = JSON.parse(text) as { $id?: string };
  return JSON.stringify(schema).replaceAll('"/api/_definitions.json#', '"_definitions.json#');
}

const UNPACK = `
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if any("/v" + v + "-local-strict/" in name for v in sys.argv[3:])])
`;

function kubernetesSchemas(): string {
  const { requirement, sha256 } = pinned.kubernetes;
  return cached(`schemas-${requirement.replace("==", "-")}`, (fresh) => {
    const list = join(fresh, "requirements.txt");
    writeFileSync(list, `${requirement} --hash=sha256:${sha256}\n`);
    const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
    run("python3", [...pip, "--only-binary", ":all:", "--dest", fresh, "--requirement", list]);
    const wheel = readdirSync(fresh).find((file) => file.endsWith(".whl")) ?? "";
    run("python3", ["-c", UNPACK, join(fresh, wheel), fresh, ...kubernetesVersions]);
    rmSync(join(fresh, wheel));
    const found = join(fresh, "kubernetes_validate/kubernetes-json-schema");
    for (const version of kubernetesVersions) {
      const to = join(fresh, `v${version}`);
      renameSync(join(found, `v${version}-local-strict`), to);
      for (const file of readdirSync(to)) {
        writeFileSync(join(to, file), besideEachOther(readFileSync(join(to, file), "utf8")));
      }
    }
  });
}

function customSchemas(): string {
  const versions = [pinned.istio, pinned.prometheusOperator].map((module) => module.split("@")[1]).join("-");
  return cached(`schemas-custom-${versions}`, (fresh) => {
    const istio = goModule(pinned.istio);
    write(fresh, schemasOf(readFileSync(join(istio, "kubernetes/customresourcedefinitions.gen.yaml"), "utf8")));
    const operator = join(goModule(pinned.prometheusOperator), "example/prometheus-operator-crd");
    for (const name of ["servicemonitors", "prometheusrules"]) {
      write(fresh, schemasOf(readFileSync(join(operator, `monitoring.coreos.com_${name}.yaml`), "utf8")));
    }
  });
}

export interface Tools {
  readonly helm: string;
  /** Validates YAML on every Kubernetes; answers the lines it said. Throws when something is not valid, or not known. */
  validate(files: readonly string[]): string[];
}

/** Gets what is not there yet. */
export function getTools(scratch: string): Tools {
  const helm = goTool("helm");
  const kubeconform = goTool("kubeconform");
  // Ours change with the checkout: they are never cached.
  write(scratch, linkerdSchemas);
  const name = "{{.ResourceKind}}{{.KindSuffix}}.json";
  const ofKubernetes = join(kubernetesSchemas(), "{{.NormalizedKubernetesVersion}}");
  const locations = [ofKubernetes, customSchemas(), scratch].map((place) => join(place, name));
  const options = ["-strict", "-verbose", "-summary", ...locations.flatMap((place) => ["-schema-location", place])];
  return {
    helm,
    validate: (files) =>
      kubernetesVersions.flatMap((version) =>
        run(kubeconform, [...options, "-kubernetes-version", version, ...files])
          .trim()
          .split("\n")
          .map((line) => `Kubernetes ${version}: ${line}`),
      ),
  };
}
