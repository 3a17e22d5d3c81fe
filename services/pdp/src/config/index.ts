export { loadConfig } from "./load.ts";
export { formatConfigProblems } from "./problems.ts";
export type { Config } from "./schema.ts";
export { readTlsFiles, sameMaterial, type TlsFiles, type TlsMaterial } from "./tls-files.ts";
export { tlsFilesOf } from "./transport.ts";
export { isLoopback } from "./values.ts";
