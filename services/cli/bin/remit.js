#!/usr/bin/env node
// Plain JavaScript that the oldest Node can parse: it says what is needed instead of failing on syntax.
const OLDEST = [22, 12];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const source = new URL("../src/main.ts", import.meta.url);

function refuse(message) {
  process.stderr.write(`remit: ${message}\n`);
  process.exit(2);
}

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  refuse(`Node ${OLDEST.join(".")} or newer is needed, this is ${process.versions.node}`);
} else if (process.features.typescript) {
  await import(source.href);
} else {
  // There is no build: the sources run as they are, and some builds of Node cannot.
  refuse(
    `Node ${process.versions.node} does not run TypeScript; in a checkout the pinned one does: npx -c 'remit ${process.argv[2] ?? "help"} ...'`,
  );
}
