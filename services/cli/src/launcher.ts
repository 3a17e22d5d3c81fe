import { fileURLToPath } from "node:url";

/** The script that people run: `bin/` is beside `src/` in a checkout and beside `dist/` in the published package. */
export const launcher = fileURLToPath(new URL("../bin/remit.js", import.meta.url));
