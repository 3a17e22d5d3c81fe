import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { DecideRequestSchema, ExchangeRequestSchema } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frame } from "../lanes/http2-peer.ts";
import { furnish } from "../support/pdp.ts";
import { bindCertificates, startTlsHouse, type TlsHouse } from "../support/tls-house.ts";

const clerk = "spiffe://example.org/ns/shop/sa/clerk";
let tls: TlsHouse;
beforeAll(async () => {
  tls = await startTlsHouse();
  await furnish(tls.house);
  await bindCertificates(tls, clerk, ["clerk"]);
});
afterAll(() => tls.close());

/** HTTP/2 within TLS over a connection that its peer holds in its own hands. */
async function peerOf(address: string) {
  const [host = "", port = ""] = address.split(":");
  const tcp = connectTcp({ host, port: Number(port) });
  const shown = tls.tls(tls.theirs.issue({ uris: [clerk] }));
  const socket = connectTls({ ...shown, socket: tcp, servername: "localhost", ALPNProtocols: ["h2"] });
  socket.on("error", () => {});
  const session = connectHttp2(`https://${address}`, { createConnection: () => socket });
  session.on("error", () => {});
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  const ask = (path: string) => {
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request(headers);
    stream.on("error", () => {});
    return stream;
  };
  return { tcp, session, ask };
}

async function handles(): Promise<number> {
  const page = await (await fetch(`http://${tls.house.pdp.metricsAddress}/metrics`)).text();
  return Number(/^remit_stream_handles (\d+)/m.exec(page)?.[1]);
}

const ways: readonly (readonly [string, (tcp: Socket) => unknown])[] = [
  ["goes", (tcp) => tcp.destroy()],
  ["says no more, and would still listen", (tcp) => tcp.end()],
  ["resets it", (tcp) => tcp.resetAndDestroy()],
];
const ports = [
  ["the gRPC lane", () => tls.house.pdp.grpcAddress],
  ["gRPC on the Connect port", () => tls.house.pdp.httpAddress],
] as const;

test.each(ports.flatMap(([name, at]) => ways.map(([way, leave]) => [name, way, at, leave] as const)))(
  "over TLS to %s, what was asked is over when its peer %s, without a word of HTTP/2 or TLS",
  async (_, __, at, leave) => {
    const { tcp, session, ask } = await peerOf(at());
    const { token } = await tls.clients(tls.theirs.issue({ uris: [clerk] })).sessions.openSession({ agent: "clerk" });
    const stream = ask("/remit.v1.DecisionService/Exchange");
    const body = { case: "attach", value: { sessionToken: token } } as const;
    stream.write(frame(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { frame: 1n, body }))));
    await new Promise((resolve) => stream.once("data", resolve));
    expect(await handles()).toBe(1);
    leave(tcp);
    await expect.poll(handles).toBe(0);
    session.destroy();
    tcp.destroy();
  },
);

test.each(ports)("over TLS %s begins every call of very many that come together", async (_, at) => {
  const peers = await Promise.all(Array.from({ length: 4 }, () => peerOf(at())));
  const asked = frame(
    toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId: "c", tool: "invoices.read" })),
  );
  const statuses = peers.flatMap(({ ask }) =>
    Array.from({ length: 200 }, () => {
      const stream = ask("/remit.v1.DecisionService/Decide");
      stream.end(asked);
      stream.resume();
      return new Promise((resolve) => {
        const note = (headers: Record<string, unknown>) => {
          if (headers["grpc-status"] !== undefined) resolve(String(headers["grpc-status"]));
        };
        stream.on("response", note);
        stream.on("trailers", note);
        stream.on("close", () => resolve(undefined));
      });
    }),
  );
  // They name no session.
  expect(await Promise.all(statuses)).toEqual(statuses.map(() => "16"));
  for (const { session } of peers) session.destroy();
});
