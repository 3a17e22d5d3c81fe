import { parseSync } from "oxc-parser";

/** What a room may import besides itself. */
export interface Wall {
  /** Rooms that may be entered, by their doors. */
  readonly rooms: readonly string[];
  /** npm packages and `node:` modules, each a name or a prefix that ends in `*`. */
  readonly packages: readonly string[];
}

/** Stands for a module whose name is computed. */
const COMPUTED = "(computed)";

const domain = { rooms: ["foundation"], packages: ["@remit/engine", "lru-cache", "node:crypto"] };
const doors = ["policies", "identities", "budgets", "ledger", "behaviour", "decisions"];
const everyPackage = ["*"];

/**
 * Who may enter which room: docs/adr and the design's table, as data. A room that is not listed may not exist.
 * `identities` has one package more than its neighbours: tokens are a standard, and `jose` speaks it.
 */
export const walls: Readonly<Record<string, Wall>> = {
  foundation: { rooms: [], packages: ["lru-cache", "node:crypto"] },
  policies: domain,
  identities: { ...domain, packages: [...domain.packages, "jose"] },
  budgets: domain,
  ledger: domain,
  behaviour: domain,
  decisions: {
    rooms: ["foundation", "policies", "identities", "budgets", "ledger", "behaviour"],
    packages: ["@remit/engine"],
  },
  // Another thread, so that reading what administrators send holds up no decision.
  reading: { rooms: ["foundation", "decisions"], packages: ["@remit/engine", "node:worker_threads"] },
  wire: {
    rooms: ["foundation", ...doors],
    packages: [
      "@remit/proto/*",
      "@remit/engine",
      "@bufbuild/protobuf*",
      "@connectrpc/connect",
      "@connectrpc/connect/protocol",
      "@connectrpc/connect/protocol-connect",
      "@connectrpc/connect/protocol-grpc",
      "@grpc/grpc-js",
      "node:crypto",
    ],
  },
  stores: {
    rooms: ["foundation", ...doors],
    // The embedded Postgres is a package a platform, so its name is computed.
    packages: ["@remit/engine", "drizzle-orm*", "pg", COMPUTED, "node:*"],
  },
  telemetry: { rooms: ["foundation", ...doors], packages: ["prom-client", "pino"] },
  config: { rooms: ["foundation"], packages: ["zod", "yaml", "node:*"] },
  server: {
    rooms: ["foundation", ...doors, "reading", "wire", "stores", "telemetry", "config"],
    packages: everyPackage,
  },
};

// Imports of types count: what only the type checker sees is still another room's noun.
const matches = (pattern: string, name: string) =>
  pattern === name || (pattern.endsWith("*") && name.startsWith(pattern.slice(0, -1)));

/** Every module that a source names, however it names it. */
export function importsOf(path: string, source: string): string[] {
  const { module } = parseSync(path, source);
  const requests = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap((found) => found.entries.map((entry) => entry.moduleRequest?.value)),
    ...module.dynamicImports.map((found) => {
      const text = source.slice(found.moduleRequest.start, found.moduleRequest.end);
      return /^["'][^"']*["']$/.test(text) ? text.slice(1, -1) : COMPUTED;
    }),
  ];
  return [...new Set(requests.filter((request) => request !== undefined && request !== null))];
}

function resolveInside(fromPath: string, request: string): string {
  const parts = fromPath.split("/").slice(0, -1);
  for (const part of request.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** What one import breaks, or undefined. `path` is below `src/`. */
function broken(path: string, request: string): string | undefined {
  const room = path.split("/")[0] ?? "";
  const wall = walls[room];
  if (!wall) return `${path}: there is no room called ${room}`;
  if (!request.startsWith(".")) {
    const allowed = wall.packages.some((pattern) => matches(pattern, request));
    return allowed ? undefined : `${path} imports ${request}, which ${room} may not`;
  }
  const target = resolveInside(path, request);
  const [other = "", ...rest] = target.split("/");
  if (other === room) return undefined;
  if (!wall.rooms.includes(other)) return `${path} enters ${other}, which ${room} may not`;
  // The foundation and the stores are shelves, not rooms with a door: each file is its own.
  const byDoor = other === "foundation" || rest.join("/") === "index.ts" || room === "server";
  return byDoor ? undefined : `${path} enters ${other} by ${rest.join("/")}, not by its door`;
}

/** Everything that the sources of a house break. Paths are below `src/`. */
export function brokenWalls(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, source] of files) {
    for (const request of importsOf(path, source)) {
      const problem = broken(path, request);
      if (problem !== undefined) found.push(problem);
    }
  }
  return found;
}
