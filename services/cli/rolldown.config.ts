import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { documentSchemas, everyDocumentSchema } from "@remit/engine";
import { defineConfig, type Plugin } from "rolldown";
import { licencePage, thirdParties } from "./build/licences.ts";

const here = import.meta.dirname;

/** Files that the code finds beside itself: `migrations/`, the demo's `documents/` and the `starter-pack/`. */
const carried = {
  migrations: join(here, "../../migrations"),
  documents: join(here, "src/demo/documents"),
  "starter-pack": join(here, "src/starter/starter-pack"),
} as const;

/** Cedar as its package has it: CommonJS, which finds its module of WebAssembly beside itself. */
const cedar = createRequire(join(here, "../engine/package.json")).resolve("@cedar-policy/cedar-wasm/nodejs");

/** Puts the carried files, the schemas of documents and the licences of what was bundled beside the bundle. */
function beside(): Plugin {
  return {
    name: "remit-beside",
    generateBundle(_, bundle) {
      for (const [folder, from] of Object.entries(carried)) {
        for (const file of readdirSync(from)) {
          this.emitFile({ type: "asset", fileName: `${folder}/${file}`, source: readFileSync(join(from, file)) });
        }
      }
      const schemas = { Remit: everyDocumentSchema(), ...documentSchemas() };
      for (const [kind, schema] of Object.entries(schemas)) {
        const fileName = `schemas/${kind.toLowerCase()}.schema.json`;
        this.emitFile({ type: "asset", fileName, source: `${JSON.stringify(schema, null, 2)}\n` });
      }
      this.emitFile({ type: "asset", fileName: "LICENSE", source: readFileSync(join(here, "../../LICENSE")) });
      const carriedCedar = {
        "cedar_wasm.cjs": cedar,
        "cedar_wasm_bg.wasm": join(dirname(cedar), "cedar_wasm_bg.wasm"),
      };
      for (const [name, from] of Object.entries(carriedCedar)) {
        this.emitFile({ type: "asset", fileName: `cedar/${name}`, source: readFileSync(from) });
      }
      const modules = Object.values(bundle).flatMap((one) => (one.type === "chunk" ? one.moduleIds : []));
      this.emitFile({
        type: "asset",
        fileName: "THIRD-PARTY-LICENSES",
        source: licencePage(thirdParties([...modules, cedar])),
      });
    },
  };
}

/**
 * `remit` as it is published: JavaScript for Node 22.12 and later, everything in it but the embedded Postgres, which is
 * loaded on demand where it is installed. Not minified: a stack names functions, and comments name their source files.
 */
export default defineConfig({
  input: {
    main: join(here, "src/main.ts"),
    // A thread of its own: the service starts it by this name, beside itself.
    "documents-worker": join(here, "../pdp/src/reading/worker.ts"),
  },
  platform: "node",
  // Not a dependency: pg takes it where somebody installed it, and asks for it only when told to.
  external: ["pg-native", "cloudflare:sockets"],
  transform: { target: "node22.12" },
  // hdr-histogram-js evaluates a `require` of zlib where it encodes a histogram; nothing here does.
  checks: { eval: false },
  plugins: [beside()],
  output: {
    dir: join(here, "dist"),
    format: "esm",
    // Flat: what finds files beside itself does so from every chunk.
    entryFileNames: "[name].js",
    chunkFileNames: ({ facadeModuleId, name }) =>
      facadeModuleId?.endsWith("/src/index.ts") ? `${basename(join(facadeModuleId, "../.."))}.js` : `${name}.js`,
    cleanDir: true,
  },
});
