import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { complaintsOf } from "../../test/conditions.ts";
import { fieldsOf, rootNames } from "./fact-paths.ts";
import { globals, spaced } from "./spaces.ts";
import { methods } from "./text-functions.ts";

const page = readFileSync(new URL("../../../../docs/policy.md", import.meta.url), "utf8");
const section = (title: string) => page.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? "";

it("has no function that the language reference does not name", () => {
  const functions = section("Functions");
  const names = [...Object.keys(spaced), ...Object.keys(globals), ...Object.keys(methods), "present", "has", "matches"];
  expect(names.filter((name) => !new RegExp(`[\`.]${name.replace(".", "\\.")}[(\`]`).test(functions))).toEqual([]);
});

it("has no fact that the language reference does not name", () => {
  const conditions = section("Conditions");
  const facts = rootNames.flatMap((root) => {
    const fields = fieldsOf(root);
    return fields ? Object.keys(fields).map((field) => `\`${root}.${field}\``) : [root];
  });
  expect(facts.filter((fact) => !conditions.includes(fact.includes(".") ? fact : `\`${fact}`))).toEqual([]);
});

it("says so where a macro's name hides its functions", () => {
  expect(complaintsOf('input.urls.all(url, url.host(url) == "a.com")')).toEqual([
    "`url` is what the macro binds here, and hides the function `url.host`",
  ]);
  expect(complaintsOf('input.urls.all(url, url.hosts(url) == "a.com")')).toEqual(["unknown function `hosts`"]);
});
