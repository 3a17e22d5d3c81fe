import { expect, test } from "vitest";
import { grpcMessage } from "../http2/prepared.ts";
import { messageSplitter } from "./exchange.ts";

test("messages of a stream come out whole, whichever frames carried them", () => {
  const bytes = Buffer.concat(["one", "", "three"].map((text) => grpcMessage(Buffer.from(text))));
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const seen: string[] = [];
    const split = messageSplitter((message) => seen.push(message.toString()));
    split(bytes.subarray(0, cut));
    split(bytes.subarray(cut));
    expect(seen).toEqual(["one", "", "three"]);
  }
});
