export { type ConfigSources, type LoadedConfig, loadConfig } from "./load.ts";
export { type ConfigProblem, formatConfigProblems } from "./problems.ts";
export type { Config, ConfigInput } from "./schema.ts";
export { Secret } from "./secret.ts";
export type { Address } from "./values.ts";
