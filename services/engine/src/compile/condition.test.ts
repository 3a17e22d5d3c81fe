import { describe, expect, it } from "vitest";
import { complaintsOf, resultOf } from "../../test/conditions.ts";
import { sampleFacts } from "../../test/sample.ts";
import type { JsonValue } from "../index.ts";

const input = {
  amount: 5,
  half: 0.5,
  text: "hello",
  none: null,
  list: [1, 2, 3],
  to: { country: "DE", "odd key": 1 },
  flag: true,
};
const of = (text: string) => resultOf(text, { input });

describe("comparison", () => {
  it.each([
    ["input.amount == 5", true],
    ["input.amount == 5.0", true],
    ["input.amount != 6", true],
    ["input.amount > 4 && input.amount < 6", true],
    ["input.half < 1", true],
    ["9007199254740993 > 9007199254740992.0", true],
    ["9007199254740993 == 9007199254740992.0", false],
    ['"a" < "b"', true],
    ['"\\U0001F600" > "\\uFFFD"', true],
    ["false < true", true],
    ["input.list == [1, 2.0, 3]", true],
    ["input.list == [1, 2]", false],
    ['input.to == {"odd key": 1, "country": "DE"}', true],
    ['input.to == {"odd key": 1, "country": "FR"}', false],
    ['input.to == {"town": "Ulm", "country": "FR"}', false],
    ["input.none == null", true],
    ["input.text == null", false],
    ["null != input.amount", true],
    ['timestamp("2026-01-01T00:00:00Z") < now', true],
    ['session.age == duration("90s")', true],
  ])("%s is %s", (text, expected) => expect(of(text)).toBe(expected));

  it.each([
    ['input.amount == "5"', "a comparison of a double and a string"],
    ["input.none == input.text", "a comparison of null and a string"],
    ['input.list == ["1", 2, 3]', "a comparison of a double and a string"],
    ['input.to == {"country": "DE"}', "a comparison of maps with different keys"],
    ['{"odd key": 1, "country": "DE", "town": "Ulm"} == input.to', "a comparison of maps with different keys"],
    ["input.text > 5", "an ordering of a string and an int"],
    ["input.missing == 5", "input.missing is missing"],
    ["input.missing != 5", "input.missing is missing"],
    ["input.to.town.street == 1", "input.to.town is missing"],
    ["input.text.length == 1", "input.text.length is read from a string"],
  ])("%s is unknown: types are never merely unequal", (text, why) => expect(of(text)).toBe(`unknown: ${why}`));

  it("finds a definite difference in lists before a confusion of types", () => {
    expect(of('input.list == ["1", 9, 3]')).toBe(false);
  });
});

describe("logic", () => {
  it.each([
    ["false && input.missing == 1", false],
    ["input.missing == 1 && false", false],
    ["true || input.missing == 1", true],
    ["input.missing == 1 || true", true],
    ["input.flag ? 1 : input.missing", 1n],
    ["!input.flag", false],
  ])("%s is decided by the side that is known", (text, expected) => expect(of(text)).toBe(expected));

  it.each(["true && input.missing == 1", "input.missing == 1 || false", "input.missing ? 1 : 2", "!input.missing"])(
    "%s is unknown",
    (text) => expect(of(text)).toBe("unknown: input.missing is missing"),
  );

  it.each(["input.text && true", "input.amount || false", "!input.text", "input.text ? 1 : 2"])(
    "%s is unknown: only true and false are truths",
    (text) => expect(of(text)).toMatch(/^unknown: .* of a (string|double)/),
  );
});

describe("arithmetic", () => {
  it.each([
    ["input.amount + 1", 6],
    ["1 + 2", 3n],
    ["7 / 2", 3n],
    ["7 / 2.0", 3.5],
    ["-7 % 3", -1n],
    ["input.amount % 2", 1],
    ["input.amount * 2 - 1", 9],
    ["-input.half", -0.5],
    ['input.text + "!"', "hello!"],
    ["[1] + [2]", [1n, 2n]],
    ['string(now + duration("1h30m"))', "2026-03-02T11:30:00Z"],
    ['now - timestamp("2026-03-02T09:00:00Z") == duration("1h")', true],
    ['duration("1h") + duration("30m") == duration("90m")', true],
    ["9223372036854775807 + 1", "unknown: an int overflowed"],
    ["-(-9223372036854775807 - 1)", "unknown: an int overflowed"],
    ["1 / 0", "unknown: a division by zero"],
    ["1 % 0", "unknown: a division by zero"],
    ["input.half / 0", "unknown: a double that is not a finite number"],
    ["0.0 / 0.0 > 1.0", "unknown: a double that is not a finite number"],
    ["input.half % 2", "unknown: `%` of a double and an int"],
    ["input.text + 1", "unknown: `+` of a string and an int"],
    ["input.text - 1", "unknown: `-` of a string and an int"],
  ])("%s is %s", (text, expected) => expect(of(text)).toEqual(expected));
});

describe("membership", () => {
  it.each([
    ['input.to.country in ["DE", "FR"]', true],
    ['input.to.country in ["US"]', false],
    ["input.amount in [5, 6]", true],
    ["2 in input.list", true],
    ['"country" in input.to', true],
    ['"town" in input.to', false],
    ['input.to.country in ["US", 7]', false],
    ["1 in []", false],
    ['input.amount in ["5"]', "unknown: a comparison of a double and a string"],
    ['"2" in input.list', "unknown: a comparison of a string and a double"],
    ['input.to.country in {"US": 1}', false],
    ['input.amount in {"US": 1, 5: 2}', true],
    ['input.amount in {"US": 1, 6: 2}', false],
    ['input.amount in {"US": 1}', "unknown: a look-up of a double and a map"],
    ["input.amount in {}", false],
    ["input.amount in input.to", "unknown: a look-up of a double and a map"],
    ["1 in input.text", "unknown: `in` of an int and a string"],
  ])("%s is %s", (text, expected) => expect(of(text)).toBe(expected));
});

describe("operators that take several types", () => {
  it.each([
    ["size(input.value) == 2", ["ab", ["a", "b"], { a: 1, b: 2 }]],
    ['"a" in input.value', [["a"], { a: 1 }]],
    ['input.value.all(x, x == "a")', [["a"], { a: 1 }]],
  ] as [string, JsonValue[]][])("%s answers for each of them; a schema says which one is meant", (text, values) => {
    for (const value of values) expect(resultOf(text, { input: { value } })).toBe(true);
    expect(resultOf(text, { input: { value: 5 } })).toMatch(/^unknown/);
  });
});

describe("fields", () => {
  it.each([
    ['input.to["country"]', "DE"],
    ['input.to["odd key"]', 1],
    ["input.list[0]", 1],
    ["input.list[2.0]", 3],
    ['{"a": 1}.a', 1n],
    ['{1: "one"}[1]', "one"],
    ["has(input.none)", true],
    ["has(input.missing)", false],
    ["present(input.none)", false],
    ["present(input.missing)", false],
    ["present(input.missing.deeper)", false],
    ["present(input.none.deeper)", false],
    ["present(input.list[7])", false],
    ["present(input.text)", true],
    ["present(answers.memo)", false],
    ["input.list[3]", 'unknown: input.list["3"] is out of range'],
    ["input.list[-1]", 'unknown: input.list["-1"] is out of range'],
    ["input.list[0.5]", "unknown: an index into a list of a double"],
    ["has(input.text.length)", "unknown: input.text.length is read from a string"],
    ["present(input.text.length)", "unknown: input.text.length is read from a string"],
    ["has(input.missing.deeper)", "unknown: input.missing is missing"],
  ])("%s is %s", (text, expected) => expect(of(text)).toBe(expected));

  it("that hold null are null below other fields too, and not missing", () => {
    const facts = { input: { to: { none: null } } };
    expect(resultOf("input.to.none == null && has(input.to.none) && !present(input.to.none)", facts)).toBe(true);
    expect(resultOf("input.to.none == 5", facts)).toBe("unknown: a comparison of null and an int");
  });

  it("of the other facts are there or not, whatever their value", () => {
    const facts = sampleFacts({ principal: { verified: false } });
    expect(resultOf("has(principal.verified) && has(tool.server) && has(session.labels)", facts)).toBe(true);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("%s is a key like any other", (key) => {
    expect(of(`has(input.${key})`)).toBe(false);
    expect(of(`"${key}" in input`)).toBe(false);
    expect(of(`input["${key}"]`)).toBe(`unknown: input["${key}"] is missing`);
    const planted = JSON.parse(`{"${key}": {"admin": true}}`);
    expect(resultOf(`input.${key}.admin`, { input: planted })).toBe(true);
    expect(resultOf("has(input.admin)", { input: planted })).toBe(false);
  });
});

describe("facts", () => {
  it.each([
    ["agent.id", "clerk"],
    ["agent.owner", "ada"],
    ["agent.labels.team", "finance"],
    ["principal.verified", true],
    ["principal.id == input.user", true],
    ["session.depth", 0n],
    ["session.calls + 1", 4n],
    ['"untrusted" in session.labels', false],
    ["tool.name", "pay"],
    ["tool.risk", "write"],
    ["tool.labels.tier", "1"],
    ["call.attempt == 1", true],
    ["call.tool", "pay"],
    ["caller.id", "sdk"],
    ["now.getFullYear()", 2026n],
    ["now.getDayOfWeek()", 1n],
    ['now.getHours("+02:00")', 12n],
    ["session.age.getMinutes()", 1n],
  ])("%s is %s", (text, expected) => expect(resultOf(text, { input: { user: "mia" } })).toBe(expected));

  it("a fact that was left out or has another type is unknown", () => {
    const { calls: _, ...session } = sampleFacts().session;
    expect(resultOf("session.calls > 3", { session })).toMatch(/^unknown/);
    expect(resultOf('"x" in session.labels', { session: { ...session, labels: "x" as never } })).toMatch(/^unknown/);
    expect(resultOf("now > timestamp('2026-01-01T00:00:00Z')", { now: "yesterday" })).toMatch(/^unknown/);
  });
});

describe("macros", () => {
  it.each([
    ["input.list.all(x, x > 0)", true],
    ["input.list.all(x, x > 1)", false],
    ["input.list.exists(x, x == 2)", true],
    ["input.list.exists_one(x, x > 2)", true],
    ["input.list.exists_one(x, x > 1)", false],
    ["input.list.filter(x, x != 2)", [1, 3]],
    ["input.list.map(x, x * 2)", [2, 4, 6]],
    ["input.list.map(x, x > 1, x * 2)", [4, 6]],
    ['input.to.all(key, key != "town")', true],
    ["input.list.all(x, input.list.exists(y, y == x))", true],
    ["input.list.all(x, x > 1 || input.missing)", "unknown: input.missing is missing"],
    ["input.list.exists(x, x == 3 || input.missing)", true],
    ["input.list.all(x, x > 1 && input.missing)", false],
    ["input.list.filter(x, input.missing)", "unknown: input.missing is missing"],
    ["input.text.all(x, true)", "unknown: a macro over the elements of a string"],
    ["input.list.all(input, input > 0)", true],
    ["[null, 1].exists(x, x == null)", true],
    ["[null, 1].filter(x, x != null)", [1n]],
    ["[null, 1].all(x, x == null || x > 0)", true],
    ["[null].map(x, x)", [null]],
  ])("%s is %s", (text, expected) => expect(of(text)).toEqual(expected));

  it("may be nested once, not twice", () => {
    expect(complaintsOf("[1].all(a, [1].all(b, [1].all(c, true)))")).toEqual(["macros nested deeper than 2"]);
    expect(complaintsOf("[1].map(a, a).filter(b, true).all(c, true)")).toEqual([]);
  });
});

describe("variables", () => {
  it("may use each other in any order", () => {
    expect(resultOf("vars.b", { input }, { b: "vars.a + 1", a: "input.amount * 2" })).toBe(11);
  });

  it("carry what is unknown in them", () => {
    expect(resultOf("vars.a || true", { input }, { a: "input.missing > 1" })).toBe(true);
    expect(resultOf("vars.a", { input }, { a: "input.missing > 1" })).toBe("unknown: input.missing is missing");
    expect(resultOf("present(vars.a)", { input }, { a: "input.missing" })).toBe(false);
  });

  it("keep what their macros bind apart from the macro they are used in", () => {
    const variables = { inner: "[10, 20].exists(y, y == 20)" };
    expect(resultOf("input.list.filter(x, vars.inner && x > 1)", { input }, variables)).toEqual([2, 3]);
  });

  it("may not be defined by themselves", () => {
    expect(complaintsOf("vars.a", { a: "vars.b", b: "vars.a" })).toContain("the variable `a` is defined by itself");
    expect(complaintsOf("true", { a: "vars.a + 1" })).toContain("the variable `a` is defined by itself");
  });
});

describe("what does not compile", () => {
  it.each([
    ["inptu.amount > 5", "unknown name `inptu` (input?)"],
    ["sesion.depth > 5", "unknown name `sesion` (session?)"],
    ["session.dept > 5", "unknown field `session.dept` (depth?)"],
    ["principal.verifed", "unknown field `principal.verifed` (verified?)"],
    ["vars.larg", "unknown variable `larg` (large?)"],
    ["session", "`session` is not a value by itself"],
    ['input.a.startWith("x")', "unknown function `startWith` (startsWith?)"],
    ["presnt(input.a)", "unknown function `presnt` (present?)"],
    ['path.whithin(input.a, "/b")', "unknown function `path.whithin` (path.within?)"],
    ["present(1 + 2)", "`present` takes one path"],
    ["session.depth", "a condition that is an int"],
    ['session.depth == "1"', "`==` between an int and a string"],
    ["session.purpose > 1", "`>` between a string and an int"],
    ["session.depth && true", "a side of `&&` cannot be an int"],
    ['session.depth.startsWith("x")', "what `startsWith` takes cannot be an int"],
    ["vars.large > 1", "`>` between a bool and an int"],
    ['input.a.matches("(")', "a pattern that is not supported: missing closing ): `(`"],
    ['input.a.matches("(?=x)")', "a pattern that is not supported: invalid or unsupported Perl syntax: `(?=`"],
    ["input.a.matches(input.b)", "`matches` takes one pattern, written in the policy"],
    ['timestamp("yesterday") < now', '`timestamp` of "yesterday": not an RFC 3339 timestamp'],
    ['duration("5 minutes") < session.age', '`duration` of "5 minutes": not a duration such as 90s or 1h30m'],
    ['input.a.startsWith("x", "y")', "`startsWith` takes 2 values, not 3"],
    ["1u == input.a", "unsigned numbers are not supported"],
    ['b"a" == input.a', "bytes are not supported"],
    ["input.a ==", "not a valid condition: unexpected end"],
    ["input.a = 5", "not a valid condition: unexpected `=`"],
    ["input.a and true", "not a valid condition: unexpected `and`"],
    ["has(input)", "`has` takes one field"],
    ["Foo{a: 1}", "messages are not supported"],
    ["{input.a: 1} == {}", "a map's key is a literal"],
    ["[1].all(a.b, true)", "`all` is used wrongly"],
    ["all(1, 2)", "`all` is used wrongly"],
  ])("%s", (text, complaint) => {
    expect(complaintsOf(text, { large: "input.amount > 500" })).toContain(complaint);
  });

  it("nests no deeper than can be run", () => {
    expect(complaintsOf(`${"(".repeat(1900)}true${")".repeat(1900)}`)).toEqual(["the condition is nested too deeply"]);
    expect(complaintsOf(Array.from({ length: 400 }, () => "1").join(" + "))).toEqual([
      "the condition is nested too deeply",
    ]);
  });
});
