#!/usr/bin/env node
// Plain JavaScript that the oldest Node can parse: it says what is needed instead of failing on syntax.
import { existsSync } from "node:fs";

const OLDEST = [22, 12];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
// In a checkout the sources run as they are; the published package has a build and no sources.
const source = new URL("../src/main.ts", import.meta.url);
const build = new URL("../dist/main.js", import.meta.url);

function refuse(message) {
  process.stderr.write(`remit: ${message}\n`);
  process.exit(2);
}

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  refuse(`Node ${OLDEST.join(".")} or newer is needed, this is ${process.versions.node}`);
} else if (process.features.typescript && existsSync(source)) {
  await import(source.href);
} else if (existsSync(build)) {
  await import(build.href);
} else {
  refuse(
    `there is no build here, and Node ${process.versions.node} does not run TypeScript; run \`npm run build\`, or the pinned Node: npx -c 'remit ${process.argv[2] ?? "help"} ...'`,
  );
}
