import type { PolicyTestRun } from "@remit/engine";
import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import { junitXml } from "./junit.ts";

/** Elements as a strict parser reads them: it throws at the first thing that is not well-formed. */
function parsed(xml: string) {
  const elements: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: (typeof elements)[number][] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string>, text: "" };
    elements.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(xml).close();
  return elements;
}

const nasty = `<b>&amp;"'>]]>\n\t\u0007\u{1f600}\ud800 é`;
const readable = `<b>&amp;"'>]]>\n\t\ufffd\u{1f600}\ufffd é`;

const place = { file: `dir/${nasty}_test.yaml`, line: 3, column: 7, test: "t" };
const wrong = {
  said: "no",
  differences: [{ what: "effect", expected: "allow", actual: "deny" }],
  explanation: [nasty],
};
const run: PolicyTestRun = {
  passed: 1,
  cases: [
    { ...place, name: "fine", index: 0, passed: true },
    { ...place, name: nasty, index: 1, passed: false },
  ],
  failed: [
    { ...place, name: nasty, index: 1, message: nasty, ...wrong },
    {
      ...place,
      file: "other_test.yaml",
      test: "",
      name: "reading the file",
      message: "bad",
      ...wrong,
      differences: [],
    },
  ],
};

test("JUnit XML is well-formed and says every text as it is, whatever stands in it", () => {
  const elements = parsed(junitXml(run, [place.file, "other_test.yaml"]));
  const named = (name: string) => elements.filter((element) => element.name === name);
  expect(named("testsuites")[0]?.attributes).toMatchObject({ tests: "3", failures: "2" });
  expect(named("testsuite").map(({ attributes }) => [attributes.name, attributes.tests, attributes.failures])).toEqual([
    [`dir/${readable}_test.yaml`, "2", "1"],
    ["other_test.yaml", "1", "1"],
  ]);
  expect(named("testcase").map(({ attributes }) => attributes.name)).toEqual(["fine", readable, "reading the file"]);
  const [failure, unread] = named("failure");
  expect(failure?.attributes).toEqual({ type: "difference", message: readable.split("\n")[0] });
  expect(failure?.text).toContain(readable);
  expect(unread?.attributes.type).toBe("unreadable");
});
