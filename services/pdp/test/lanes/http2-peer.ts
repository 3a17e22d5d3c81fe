import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { type HostPort, hostPort } from "../../src/foundation/address.ts";

/** A gRPC frame: five bytes of flags and length, then the message. */
export function frame(message: Uint8Array, flags = 0): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes[0] = flags;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}

/** A peer that holds its HTTP/2 stream in its own hands: it reads nothing before it is told to. */
export function openPeer(at: HostPort, method: string, headers: Readonly<Record<string, string>> = {}) {
  const session = connect(`http://${hostPort(at)}`);
  session.on("error", () => {});
  const stream: ClientHttp2Stream = session.request({
    ":method": "POST",
    ":path": `/remit.v1.DecisionService/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {});
  stream.pause();
  const trailers = new Promise<IncomingHttpHeaders>((resolve) => {
    stream.on("response", (headers) => {
      if (headers["grpc-status"] !== undefined) resolve(headers);
    });
    stream.on("trailers", resolve);
  });
  const closed = new Promise<number>((resolve) => stream.on("close", () => resolve(stream.rstCode)));
  return {
    stream,
    session,
    /** What the call ended with. */
    trailers,
    /** The code the stream was reset with; 0 when it ended well. */
    closed,
    /** Reads everything until the stream ends; answers how many bytes there were. */
    async readAll(): Promise<number> {
      let bytes = 0;
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      stream.resume();
      if (!stream.readableEnded) await new Promise((resolve) => stream.once("end", resolve));
      return bytes;
    },
    close() {
      stream.close(constants.NGHTTP2_CANCEL);
      session.destroy();
    },
  };
}
