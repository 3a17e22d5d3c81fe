import { defineConfig } from "vitest/config";

// `unit` is everything that needs no Postgres and no child process: it is what `npm run check` runs. `doors` is the
// rest: real servers, real clients, a real Postgres a file.
const doors = ["**/test/**/*.test.ts"];
const never = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "**/src/**/*.test.ts",
            "services/cli/build/**/*.test.ts",
            "helm/**/*.test.ts",
            "services/pdp/test/{rooms,codes,failures,roles}.test.ts",
            "services/engine/test/**/*.test.ts",
          ],
          exclude: never,
          // For a machine that has much else to do: no test is about time.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "doors",
          globalSetup: ["services/pdp/test/support/postgres-global.ts"],
          include: doors,
          exclude: [...never, "services/pdp/test/{rooms,codes,failures,roles}.test.ts", "services/engine/test/**"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});
