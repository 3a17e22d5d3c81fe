import { defineConfig } from "drizzle-kit";

// Paths follow the working directory: `npm exec -w services/pdp -- drizzle-kit studio`. The migrations are written by
// hand and applied by `remit migrate`: what a partition, a grant or a fence needs, no generator writes.
export default defineConfig({
  dialect: "postgresql",
  schema: ["", "-policies", "-budgets", "-breakers", "-sequencer"].map((part) => `./src/stores/schema${part}.ts`),
  out: "../../migrations",
});
