import { writeFileSync } from "node:fs";
import { askedFor } from "../../../.tools/asked.ts";
import { buildBundle, buildOpa, bundlePath, fixtures, madeOf, madePath } from "./opa.ts";

const HELP = `Makes the bundles that the repository carries anew from their sources, by OPA's own compiler, which it builds with Go first.

  npm run opa:fixture
`;

askedFor(HELP, {});
try {
  const opa = buildOpa();
  for (const fixture of fixtures) {
    buildBundle(opa, fixture, bundlePath(fixture));
    writeFileSync(madePath(fixture), `${JSON.stringify(madeOf(fixture), undefined, 2)}\n`);
    process.stdout.write(`${fixture.bundle}\n`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
