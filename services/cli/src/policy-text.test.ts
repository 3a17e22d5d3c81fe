import { expect, test } from "vitest";
import { languageText, writtenText } from "./policy-text.ts";

test("a version is told by its rules, or by what else it is written in", () => {
  expect(writtenText({ language: "native", rules: 1 })).toBe("1 rule");
  expect(writtenText({ language: "native", rules: 0 })).toBe("0 rules");
  expect(writtenText({ language: "rego", rules: 0 })).toBe("in Rego");
  expect(writtenText({ language: "cedar", rules: 0 })).toBe("in Cedar");
});

test("of one that an earlier build published, its rules tell whether it is ours", () => {
  expect(writtenText({ language: "", rules: 3 })).toBe("3 rules");
  expect(languageText({ language: "", rules: 3 })).toBeUndefined();
  expect(writtenText({ language: "", rules: 0 })).toBe("in another language");
});
