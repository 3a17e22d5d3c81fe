import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildBundle, builtOpa, bundlePath, fixtures, madeOf, madePath, opaVersion } from "../../opa/opa.ts";

const opa = builtOpa();

describe("the bundles that the repository carries", () => {
  it.each(fixtures)("$bundle is the one that is written down beside it", (fixture) => {
    expect(JSON.parse(readFileSync(madePath(fixture), "utf8"))).toEqual(madeOf(fixture));
  });

  // The name says which of the two was looked at: OPA is built by `npm run opa:fixture` where there is Go.
  const title = opa
    ? `are what OPA ${opaVersion} makes of their sources here, byte for byte`
    : `were made by OPA ${opaVersion}, which is not built here: no bundle is compared with a new one`;
  it(title, () => {
    if (!opa) {
      for (const fixture of fixtures) expect(madeOf(fixture).opa).toBe(opaVersion);
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), "remit-opa-"));
    for (const fixture of fixtures) {
      const made = join(folder, basename(fixture.bundle));
      buildBundle(opa, fixture, made);
      expect(readFileSync(made).equals(readFileSync(bundlePath(fixture))), fixture.bundle).toBe(true);
    }
    rmSync(folder, { recursive: true });
  });
});
