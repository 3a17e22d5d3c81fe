import {
  create,
  type DescMessage,
  fromBinary,
  fromJsonString,
  type JsonObject,
  type JsonValue,
  type Message,
  toJsonString,
} from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  GetDecisionResponseSchema,
  GetPoliciesResponseSchema,
  ListGroupsResponseSchema,
  ListToolsResponseSchema,
  ToolSchema,
} from "@remit/proto/admin";
import { AmountSchema, Risk } from "@remit/proto/common";
import { DecideResponseSchema } from "@remit/proto/decision";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeInSlices } from "./encode-long.ts";
import { encodeJsonInSlices } from "./encode-long-json.ts";
import { type Encoded, PIECE_BYTES } from "./pen.ts";

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const joined = ({ bytes, length }: Encoded) => {
  const whole = new Uint8Array(Buffer.concat(bytes));
  expect(whole.length).toBe(length);
  return whole;
};

/** Both forms, read by the library; the JSON is that of the library to the byte. */
async function same(schema: DescMessage, message: Message): Promise<void> {
  const pause = async () => undefined;
  expect(fromBinary(schema, joined(await encodeInSlices(schema, message, pause)))).toEqual(message);
  const text = new TextDecoder().decode(joined(await encodeJsonInSlices(schema, message, pause)));
  expect(text).toBe(toJsonString(schema, message));
  expect(fromJsonString(schema, text)).toEqual(message);
}

// Some are longer than a piece, most are short.
const long = fc
  .tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 9 }), fc.constantFrom(0, 1, 1, 1, 1, 7_000, 20_000))
  .map(([text, times]) => text.repeat(times));

// JSON has no -0: it is written as 0, and read so.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0);
const leaf = fc.oneof(long, fc.boolean(), fc.constant(null), number);
const { value: json } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(long, tie("value"), { maxKeys: 4 }),
    fc.tuple(fc.integer(), fc.boolean()).map((one) => many(3_000, () => ({ one }))),
  ),
}));

test("policies with their documents, in slices, are what they are in one piece", async () => {
  const policy = fc.record({ document: long, source: long, problems: fc.array(fc.record({ message: long })) });
  const answer = fc.record({
    policies: fc.array(policy, { maxLength: 6 }),
    revision: fc.bigInt({ min: 0n, max: 99n }),
  });
  await fc.assert(
    fc.asyncProperty(answer, (init) => same(GetPoliciesResponseSchema, create(GetPoliciesResponseSchema, init))),
    { numRuns: 40 },
  );
});

test("entries with any body, in slices, are what they are in one piece", async () => {
  const entry = fc.record({ id: long, body: fc.dictionary(long, json, { maxKeys: 3 }) as fc.Arbitrary<JsonObject> });
  const answer = fc.record({
    decision: fc.option(entry, { nil: undefined }),
    reports: fc.array(entry, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(answer, ({ decision, reports }) =>
      same(GetDecisionResponseSchema, create(GetDecisionResponseSchema, { reports, ...(decision && { decision }) })),
    ),
    { numRuns: 40 },
  );
});

test("long lists, maps, moments and choices, in slices, are what they are in one piece", async () => {
  const tools = many(500, (at) =>
    create(ToolSchema, {
      ...{ name: `t${at}`, labels: { a: "b", c: "x".repeat(at) }, timeout: durationFromMs(3_000), risk: Risk.READ },
      cost: [create(AmountSchema, { unit: "EUR", value: `${at}` })],
      redact: many(at % 300, (n) => `input.p${n}`),
    }),
  );
  await same(ListToolsResponseSchema, create(ListToolsResponseSchema, { tools, nextPageToken: "t" }));
  const groups = many(3, (at) => ({ name: `g${at}`, members: many(20_000 * at, (n) => `m${n}é`) }));
  await same(ListGroupsResponseSchema, create(ListGroupsResponseSchema, { groups }));
  const transformedObject = { a: many(9_000, (at) => ({ at })), ["__proto__"]: "x".repeat(99_999) };
  const transformed = { case: "transformedObject" as const, value: transformedObject };
  await same(DecideResponseSchema, create(DecideResponseSchema, { decisionId: "d", transformed }));
  const bytes = { case: "transformedJson" as const, value: new Uint8Array(100_000).fill(7) };
  await same(DecideResponseSchema, create(DecideResponseSchema, { decisionId: "d", transformed: bytes }));
});

test("a text is cut between characters", async () => {
  for (const before of many(4, (at) => "a".repeat(at))) {
    const document = before + "😀€é".repeat(40_000);
    await same(GetPoliciesResponseSchema, create(GetPoliciesResponseSchema, { policies: [{ document }] }));
  }
});

test.each([
  ["one long text", () => create(GetPoliciesResponseSchema, { policies: [{ document: "é".repeat(1_000_000) }] })],
  [
    "many texts",
    () => create(GetPoliciesResponseSchema, { policies: many(9_000, () => ({ source: "s".repeat(200) })) }),
  ],
])("others are answered between the pieces of %s", async (_, make) => {
  for (const encode of [encodeInSlices, encodeJsonInSlices]) {
    let pauses = 0;
    const { bytes, length } = await encode(GetPoliciesResponseSchema, make(), async () => void pauses++);
    expect(pauses).toBeGreaterThan(length / PIECE_BYTES / 4);
    expect(Math.max(...bytes.map((some) => some.length))).toBeLessThan(4 * PIECE_BYTES);
  }
});
