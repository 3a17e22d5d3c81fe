#!/usr/bin/env node
// Plain JavaScript that the oldest Node can parse: it says what is needed instead of failing on syntax.
import { existsSync } from "node:fs";

const OLDEST = [22, 12];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const source = new URL("../src/main.ts", import.meta.url);
const built = new URL("../dist/main.js", import.meta.url);

function refuse(message) {
  process.stderr.write(`remit: ${message}\n`);
  process.exit(2);
}

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  refuse(`Node ${OLDEST.join(".")} or newer is needed, this is ${process.versions.node}`);
} else if (!existsSync(source)) {
  await import(built.href);
} else if (process.features.typescript) {
  await import(source.href);
} else {
  // A checkout has no build: it runs its sources as they are.
  refuse(
    `Node ${process.versions.node} does not run TypeScript; in a checkout: npx -c 'remit ${process.argv[2] ?? "help"} ...'`,
  );
}
