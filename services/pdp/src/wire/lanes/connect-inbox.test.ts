import { create, type DescMessage, type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { PublishPoliciesRequestSchema } from "@remit/proto/admin";
import { ProposeChangeRequestSchema } from "@remit/proto/change";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createCrowdRoom } from "../../foundation/crowd-room.ts";
import { Fault } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { decodeFirst, takeMessage } from "./connect-inbox.ts";
import { createDeadlines } from "./deadlines.ts";
import { createMessageRoom } from "./stream-rules.ts";

const publish = (files: number, text: string) =>
  create(PublishPoliciesRequestSchema, {
    files: Array.from({ length: files }, (_, at) => ({ file: `f${at}`, text })),
  });
const long = publish(20, "ä".repeat(50_000));

function enveloped(bytes: Uint8Array): Uint8Array {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** What a handler behind the inbox takes of a body, and how often others were let in meanwhile. */
async function taken(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  input: DescMessage = PublishPoliciesRequestSchema,
) {
  const messages: (Message | Fault)[] = [];
  let pauses = 0;
  const handler = Object.assign(
    async ({ body: handed, contextValues }: UniversalServerRequest) => {
      for await (const _ of handed as AsyncIterable<Uint8Array>) {
        try {
          messages.push(takeMessage(contextValues ?? createContextValues()));
        } catch (error) {
          messages.push(error as Fault);
        }
      }
      return { status: 200 };
    },
    { method: { input } },
  ) as unknown as UniversalHandler;
  const pause = async () => void pauses++;
  const rooms = { deadlines: createDeadlines(createCrowdRoom()), messages: createMessageRoom() };
  const rules = { messageBytesMax: limits.adminMessageBytesMax, bodyMs: 60_000, pause, ...rooms };
  const header = new Headers({ "content-type": contentType });
  await decodeFirst(handler, rules)({ method: "POST", header, body } as unknown as UniversalServerRequest);
  return { messages, pauses };
}

test.each(["application/proto", "application/grpc", "application/grpc-web+proto", "application/connect+proto"])(
  "a long message is put together and read in slices, by the pause that the lane was given: %s",
  async (contentType) => {
    const bytes = toBinary(PublishPoliciesRequestSchema, long);
    const body = contentType === "application/proto" ? bytes : enveloped(bytes);
    const { messages, pauses } = await taken(contentType, inChunks(body, 65_536));
    expect(messages).toEqual([long]);
    // Each quarter of a megabyte, when it is put together and when it is read.
    expect(pauses).toBeGreaterThan(2 * 6);
  },
);

test("messages that follow each other are the messages, wherever the chunks of their bytes end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ files: fc.nat(3), text: fc.string({ unit: "binary", maxLength: 40 }) }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 64 }),
      async (sent, chunkBytes) => {
        const messages = sent.map(({ files, text }) => publish(files, text));
        const bytes = Buffer.concat(
          messages.map((message) => enveloped(toBinary(PublishPoliciesRequestSchema, message))),
        );
        expect((await taken("application/grpc", inChunks(bytes, chunkBytes))).messages).toEqual(messages);
      },
    ),
    { numRuns: 100 },
  );
});

test("a short message, and one in JSON, is read at once", async () => {
  const short = publish(2, "x");
  const json = new TextEncoder().encode(toJsonString(PublishPoliciesRequestSchema, short));
  expect(await taken("application/json", inChunks(json, 9))).toEqual({ messages: [short], pauses: 0 });
  const bytes = toBinary(PublishPoliciesRequestSchema, short);
  expect(await taken("application/proto", inChunks(bytes, 9))).toEqual({ messages: [short], pauses: 0 });
});

test("a message that carries values is put together in slices, and refused by its length before it is read", async () => {
  const proposing = (chars: number) => {
    const message = { document: { file: "f", text: "x".repeat(chars) } };
    return create(ProposeChangeRequestSchema, { method: "m", message });
  };
  const sent = async (chars: number) => {
    const body = toBinary(ProposeChangeRequestSchema, proposing(chars));
    return taken("application/proto", inChunks(body, 65_536), ProposeChangeRequestSchema);
  };
  const long = await sent(1_000_000);
  expect(long.messages).toEqual([proposing(1_000_000)]);
  expect(long.pauses).toBeGreaterThan(2);
  const { messages, pauses } = await sent(3_000_000);
  expect(messages[0]).toMatchObject({
    kind: "invalid",
    detail: { limit: `adminPartBytesMax: ${limits.adminPartBytesMax} bytes` },
  });
  expect(pauses).toBe(0);
});

test("a stream that ends within a message is told so", async () => {
  const bytes = enveloped(toBinary(PublishPoliciesRequestSchema, publish(1, "text"))).subarray(0, -1);
  const { messages } = await taken("application/grpc", inChunks(bytes, 7));
  expect(messages).toEqual([expect.any(Fault)]);
  expect(messages[0]).toMatchObject({ kind: "invalid", message: "the stream ended within a message" });
});
