// Makes `dist/` of a library workspace a package of its own: what its package.json says of sources is said of what was
// compiled from them. Run in the workspace after tsc: the workspace itself keeps exporting its sources.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

const { scripts: _, devDependencies: __, exports, ...manifest } = JSON.parse(readFileSync("package.json", "utf8"));

/** "./src/index.ts" and "./gen/remit/v1/x.ts" lose their root, as they do in dist. */
function compiled(source) {
  const at = source.replace(/^\.\/(?:src|gen)\//, "./").replace(/\.ts$/, "");
  for (const ending of [".js", ".d.ts"]) {
    if (!existsSync(`dist/${at}${ending}`))
      throw new Error(`${source} is exported, and dist/${at}${ending} was not made`);
  }
  return { types: `${at}.d.ts`, default: `${at}.js` };
}

writeFileSync(
  "dist/package.json",
  `${JSON.stringify(
    {
      ...manifest,
      engines: { node: ">=22.12" },
      sideEffects: false,
      exports: Object.fromEntries(Object.entries(exports).map(([name, source]) => [name, compiled(source)])),
      publishConfig: { access: "public" },
    },
    null,
    2,
  )}\n`,
);
if (existsSync("README.md")) copyFileSync("README.md", "dist/README.md");
copyFileSync("../LICENSE", "dist/LICENSE");
