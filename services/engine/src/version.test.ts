import { expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { engineVersion } from "./index.ts";

it("the engine's version is its package's", () => expect(engineVersion).toBe(manifest.version));
