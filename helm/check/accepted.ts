import { formatConfigProblems, loadConfig } from "../../services/pdp/src/config/index.ts";
import type { Rendered } from "./rules.ts";

/** Values of the right form for what comes from Secrets. */
const secrets: Readonly<Record<string, string>> = {
  REMIT_DATABASE_URL: "postgres://remit:p@postgres:5432/remit",
  REMIT_MIGRATION_URL: "postgres://owner:p@postgres:5432/remit",
  REMIT_KEY_ENCRYPTION_KEY: Buffer.alloc(32).toString("base64"),
};

/** Certificates are mounted in the cluster: here none of their files is there. */
const isMounted = (path: string | undefined) => /^\/etc\/remit-(?:tls|trust)\//.test(path ?? "");

const problemsOf = (sources: Parameters<typeof loadConfig>[0]): string[] => {
  const loaded = loadConfig(sources);
  const problems = loaded.ok ? [] : loaded.problems.filter(({ value }) => !isMounted(value));
  return problems.length === 0 ? [] : [formatConfigProblems(problems)];
};

/** What the service itself says against the settings that one rendering gives it and the migrate Job: nothing, if it would start. */
export function accepted(objects: readonly Rendered[]): string[] {
  const text = objects.find(({ kind }) => kind === "ConfigMap")?.data?.["remit.yaml"] ?? "";
  return objects.flatMap(({ kind, spec }) => {
    const [container] = spec?.template?.spec.containers ?? [];
    if (container === undefined) return [];
    const given = container.env?.map(({ name, value }) => [name, value ?? secrets[name] ?? "unknown"]) ?? [];
    const env = Object.fromEntries(given) as Record<string, string>;
    return kind === "Job"
      ? problemsOf({ env, purpose: "migrate" })
      : problemsOf({ env, purpose: "serve", file: { path: env.REMIT_CONFIG ?? "", text } });
  });
}
