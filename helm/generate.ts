import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pages } from "./pages.ts";

/** Writes what the chart's page of values gives. */
for (const [path, page] of Object.entries(pages())) {
  writeFileSync(fileURLToPath(new URL(`./remit/${path}`, import.meta.url)), page);
}
