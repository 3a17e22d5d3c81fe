import { create, toBinary } from "@bufbuild/protobuf";
import { DeleteAgentsRequestSchema, PublishPoliciesRequestSchema } from "@remit/proto/admin";
import { OpenSessionRequestSchema } from "@remit/proto/session";
import fc from "fast-check";
import { expect, test } from "vitest";
import { limits } from "../../foundation/limits.ts";
import { decodeBinary, decodeJson } from "./decode.ts";
import { decodeInSlices, joinedInSlices } from "./decode-long.ts";

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

function counting() {
  let pauses = 0;
  return { pauses: () => pauses, pause: async () => void pauses++ };
}

const publish = (files: readonly { file: string; text: string }[], more: object = {}) =>
  create(PublishPoliciesRequestSchema, { files: [...files], ...more });

test("a message in slices is the message", async () => {
  const file = fc.record({ file: fc.string(), text: fc.string({ unit: "binary" }) });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 20 }), fc.boolean(), async (files, strict) => {
      const message = publish(files, { strict });
      const bytes = toBinary(PublishPoliciesRequestSchema, message);
      expect(await decodeInSlices(PublishPoliciesRequestSchema, bytes, async () => undefined)).toEqual(message);
    }),
    { numRuns: 100 },
  );
});

test("others are answered between the slices of a long one", async () => {
  const { pause, pauses } = counting();
  const message = publish(
    many(8, (at) => ({ file: `f${at}`, text: "ä".repeat(500_000) })),
    { dryRun: true },
  );
  const bytes = toBinary(PublishPoliciesRequestSchema, message);
  const chunks = many(Math.ceil(bytes.length / 65_536), (at) => bytes.subarray(at * 65_536, (at + 1) * 65_536));
  const whole = await joinedInSlices(chunks, bytes.length, pause);
  expect(Buffer.compare(whole, bytes)).toBe(0);
  expect(await decodeInSlices(PublishPoliciesRequestSchema, whole, pause)).toEqual(message);
  expect(pauses()).toBeGreaterThan(30);
});

test("a part that is too long is refused by its name, before its text is made", async () => {
  const bytes = toBinary(
    PublishPoliciesRequestSchema,
    publish([{ file: "f", text: "x".repeat(limits.adminPartBytesMax) }]),
  );
  await expect(decodeInSlices(PublishPoliciesRequestSchema, bytes, async () => undefined)).rejects.toMatchObject({
    kind: "invalid",
    detail: { field: "files", limit: `adminPartBytesMax: ${limits.adminPartBytesMax} bytes` },
  });
});

const named = (count: number) => create(DeleteAgentsRequestSchema, { names: many(count, (at) => `agent-${at}`) });

test("more parts than may be are refused, in slices and in one piece and in JSON", async () => {
  const refused = {
    kind: "invalid",
    detail: expect.objectContaining({ limit: `messageRecordsMax: ${limits.messageRecordsMax}` }),
  };
  const bytes = toBinary(DeleteAgentsRequestSchema, named(limits.messageRecordsMax + 1));
  await expect(decodeInSlices(DeleteAgentsRequestSchema, bytes, async () => undefined)).rejects.toMatchObject(refused);
  expect(() => decodeBinary(DeleteAgentsRequestSchema, bytes)).toThrow(expect.objectContaining(refused));
  const json = new TextEncoder().encode(JSON.stringify({ names: named(limits.messageRecordsMax + 1).names }));
  expect(() => decodeJson(DeleteAgentsRequestSchema, json)).toThrow(expect.objectContaining(refused));
  const most = toBinary(DeleteAgentsRequestSchema, named(limits.namesDeletedMax));
  expect(decodeBinary(DeleteAgentsRequestSchema, most)).toEqual(named(limits.namesDeletedMax));
});

test("a session of very many labels is refused before they are made", () => {
  const labels = Object.fromEntries(many(40_000, (at) => [`label-${at}`, "x"]));
  const bytes = toBinary(OpenSessionRequestSchema, create(OpenSessionRequestSchema, { labels }));
  expect(() => decodeBinary(OpenSessionRequestSchema, bytes)).toThrow("more than 12000 fields and items");
});

test("bytes that are no message are refused in slices, too", async () => {
  const bytes = toBinary(PublishPoliciesRequestSchema, publish([{ file: "f", text: "text" }])).subarray(0, -2);
  await expect(decodeInSlices(PublishPoliciesRequestSchema, bytes, async () => undefined)).rejects.toMatchObject({
    kind: "invalid",
    message: expect.stringContaining("the bytes are not a remit.v1.PublishPoliciesRequest"),
  });
});
