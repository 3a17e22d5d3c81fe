import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { Header } from "../http2/header-block.ts";

export interface RawClient {
  /** One unary call with an encoded message; rejects with the server's error. */
  call(path: string, headers: readonly Header[], message: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

/** An ordinary gRPC client that sends the very bytes that are measured afterwards. */
export function rawClient(port: number): RawClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const identity = (bytes: Buffer) => bytes;
  return {
    close: () => client.close(),
    call(path, headers, message) {
      const metadata = new Metadata();
      for (const [name, value] of headers) metadata.set(name, value);
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, identity, identity, Buffer.from(message), metadata, (error, answer) => {
          if (answer !== undefined) resolve(answer);
          else reject(error);
        });
      });
    },
  };
}
