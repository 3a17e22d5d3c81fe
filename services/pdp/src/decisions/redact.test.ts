import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Canonical, canonical, type Json, type JsonObject } from "../foundation/canonical.ts";
import { finish } from "../foundation/steps.ts";
import { strictObject } from "../foundation/strict-json.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import { refusal } from "./finding.ts";
import * as steps from "./redact.ts";
import { createRedaction } from "./redaction.ts";

/** With the texts of what is in the entry, or beside it. */
const redact = (...call: Parameters<typeof steps.redact>) => {
  const { parts, verdict } = finish(steps.redact(...call));
  const textOf = (part: string) => (parts.inline[part] as Canonical | undefined)?.text;
  return {
    ...{ input: textOf("input") ?? "", context: textOf("context") ?? "" },
    ...{ transformed: textOf("transformed_input"), verdict },
  };
};
const restore = (...call: Parameters<typeof steps.restore>) => finish(steps.restore(...call));

const marks = {
  keyId: "01890000-0000-7000-8000-0000000000aa",
  mark: (text: string) => `hmac-sha256:${createHmac("sha256", "key").update(text).digest("hex")}`,
};
const marked = (value: Json) => ({ key: marks.keyId, redacted: marks.mark(canonical(value)) });
const call = (input: object, context: object = {}) => ({
  input: strictObject(input as JsonObject, "input"),
  context: strictObject(context as JsonObject, "context"),
});
const allowed = refusal("rule_denied", "No.");
const inputOf = (input: object, paths: string[]) =>
  JSON.parse(redact(call(input), undefined, allowed, paths, marks).input) as JsonObject;

test("what a path names is replaced by its mark, in input and context, and equal values by equal marks", () => {
  const asked = call({ card: { number: "4111-2222", name: "Ada" }, again: "4111-2222" }, { user: { email: "a@b.c" } });
  const paths = ["input.card.number", "input.again", "context.user.email"];
  const { input, context } = redact(asked, undefined, allowed, paths, marks);
  const number = marked("4111-2222");
  expect(JSON.parse(input)).toEqual({ card: { number, name: "Ada" }, again: number });
  expect(JSON.parse(context)).toEqual({ user: { email: marked("a@b.c") } });
  expect(asked.input.value).toEqual({ card: { number: "4111-2222", name: "Ada" }, again: "4111-2222" });
});

test("a star stands for every item and every member; a list that a path forgot is gone through", () => {
  const items = [{ note: "one", sku: 1 }, { note: "two" }, { sku: 3 }, "text"];
  const notes = [{ note: marked("one"), sku: 1 }, { note: marked("two") }, { sku: 3 }, "text"];
  expect(inputOf({ items }, ["input.items.*.note"])).toEqual({ items: notes });
  expect(inputOf({ items }, ["input.items.note"])).toEqual({ items: notes });
  const people = { ada: { age: 36 }, bo: { age: 7 } };
  expect(inputOf({ people }, ["input.people.*.age"])).toEqual({
    people: { ada: { age: marked(36) }, bo: { age: marked(7) } },
  });
  expect(inputOf({ list: [1, [2]] }, ["input.list.*"])).toEqual({ list: [marked(1), marked([2])] });
});

test("a path that leads nowhere changes nothing, whatever it is called", () => {
  const input = { a: 1, b: { c: null } };
  for (const path of ["input.x", "input.a.b", "input.__proto__.x", "input.constructor", "context.a", "input.b.c.d"]) {
    expect(inputOf(input, [path])).toEqual(input);
  }
  expect(inputOf(input, ["input.b.c"])).toEqual({ a: 1, b: { c: marked(null) } });
});

test("what is replaced whole is not looked into by a longer path", () => {
  const input = { a: { redacted: "one", b: 2 } };
  for (const path of ["input.a.redacted", "input.a.*", "input.a"]) {
    expect(inputOf(input, [path, "input.a"])).toEqual({ a: marked({ redacted: "one", b: 2 }) });
  }
});

test("thousands of values are redacted in turns of their source, few at once, and both come to the same", async () => {
  const paths = ["input.secrets.*"];
  const redaction = (turns?: TurnRoom) => createRedaction(() => marks, turns);
  const tools = new Map([["t", { document: { spec: { redact: paths } } }]]);
  const many = (count: number) => Array.from({ length: count }, (_, at) => `secret ${at}`);
  const told = (count: number) => refusal("rule_denied", `quotes secret ${count - 1}`);
  const entered: unknown[] = [];
  const turns = { full: false, enter: async (source: unknown) => void entered.push(source), took: () => {} };
  const of = (count: number) => {
    const asked = { ...call({ secrets: many(count) }), tool: "t" };
    const finding = { ...told(count), transformedInput: { memo: `carries secret ${count - 2}`, n: 1 } };
    const arranged = [{ tools, tenant: "t" }, asked, { verdict: finding }, "stream"] as never as Parameters<
      ReturnType<typeof redaction>["of"]
    >;
    const atOnce = finish(steps.redact(asked, finding.transformedInput, finding as never, paths, marks));
    return { done: redaction(turns).of(...arranged), atOnce };
  };
  const few = of(3);
  expect(few.done).toEqual(few.atOnce);
  expect(entered).toEqual([]);
  const thousands = of(3_000);
  expect(thousands.done).toBeInstanceOf(Promise);
  expect(await thousands.done).toEqual(thousands.atOnce);
  expect(entered.length).toBeGreaterThan(10);
  expect(new Set(entered)).toEqual(new Set(["stream"]));
  expect(thousands.atOnce.verdict.message).toBe("quotes [redacted]");
  expect(JSON.stringify(thousands.atOnce.parts.inline)).not.toMatch(/secret/);
  expect(String(thousands.atOnce.parts.aside)).not.toMatch(/secret \d/);
});

test("what a rule has copied elsewhere, or built around it, is not kept either", () => {
  const forced = { to: "4111-2222", memo: "card 4111-2222!", amount: 5 };
  const { transformed } = redact(call({ card: "4111-2222" }), forced, allowed, ["input.card"], marks);
  expect(JSON.parse(transformed ?? "")).toEqual({
    to: marked("4111-2222"),
    memo: marked("card 4111-2222!"),
    amount: 5,
  });
});

test("no sentence of a finding quotes what is redacted, however it is spelt; short words only where they stand alone", () => {
  const asked = call({ secret: { pin: 7, name: 'O"Hara', key: "4111-2222" } });
  const said = `pin 7 of 77, name ${JSON.stringify('O"Hara')}, 4111-2222x`;
  const verdict = {
    ...refusal("input_invalid", said),
    ...{ detail: said, remedy: said, questions: [{ id: "q", ask: said, type: "string" as const }] },
    unknowns: [{ rule: { policy: "p", version: 1, rule: "r" }, why: said }],
  };
  const clean = redact(asked, undefined, verdict as never, ["input.secret"], marks).verdict;
  const text = JSON.stringify(clean);
  expect(clean.message).toBe('[redacted] [redacted] of 77, [redacted] "[redacted]", [redacted]x');
  expect(text).not.toMatch(/Hara|4111|pin 7/);
});

const isCanonical = (value: unknown): value is Json => {
  try {
    return canonical(value as Json) !== "";
  } catch {
    return false;
  }
};
const json = fc.jsonValue({ maxDepth: 3 }).filter(isCanonical) as fc.Arbitrary<Json>;
const name = fc.constantFrom("a", "b", "c", "*");
const path = fc
  .tuple(fc.constantFrom("input", "context"), fc.array(name, { minLength: 1, maxLength: 3 }))
  .map(([root, keys]) => [root, ...keys].join("."));
const object = fc.dictionary(fc.constantFrom("a", "b", "c"), json);

test("what was redacted of a call is restored from the same call asked again, and from no other", () => {
  fc.assert(
    fc.property(object, object, fc.array(path, { minLength: 1, maxLength: 4 }), (input, context, paths) => {
      const asked = call(input, context);
      const { transformed } = redact(asked, asked.input.value, allowed, paths, marks);
      const kept = JSON.parse(transformed ?? "{}") as JsonObject;
      expect(canonical(restore(kept, asked, paths, marks))).toBe(asked.input.canonical);
      if (canonical(kept) !== asked.input.canonical) expect(restore(kept, call({}), paths, marks)).toEqual(kept);
    }),
  );
});

test("no sentence quotes what is redacted, as it is or within JSON, among hundreds of texts", () => {
  const text = (minLength: number) =>
    fc.string({ unit: fc.constantFrom("a", "b", '"', "\\", "é", "\n", " ", "1"), minLength, maxLength: 12 });
  const others = Array.from({ length: 200 }, (_, at) => `other ${at}`);
  fc.assert(
    fc.property(text(4), text(0), text(0), fc.boolean(), (secret, before, after, isWritten) => {
      const written = JSON.stringify(secret).slice(1, -1);
      const said = refusal("rule_denied", `${before}${isWritten ? written : secret}${after}`);
      const asked = call({ secrets: [...others, secret] });
      const { message } = redact(asked, undefined, said, ["input.secrets"], marks).verdict;
      expect(message).toContain("[redacted]");
      expect(message.includes(secret) || message.includes(written)).toBe(false);
    }),
    { numRuns: 500 },
  );
});
