export { loadConfig } from "./load.ts";
export { formatConfigProblems } from "./problems.ts";
export type { Config } from "./schema.ts";
