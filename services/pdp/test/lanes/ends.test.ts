import { type ClientHttp2Session, connect as connectHttp2, createServer, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer as createTcp, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTls } from "node:tls";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createCrowdRoom } from "../../src/foundation/crowd-room.ts";
import { turnOfTheLoop } from "../../src/foundation/turn-of-the-loop.ts";
import { createBeginning } from "../../src/wire/lanes/begin-in-turns.ts";
import { forLoopback, makeAuthority } from "../support/authority.ts";
import { countTurns, mostInOneTurn } from "../support/turns.ts";

const ENDED_AT_ONCE_MAX = 8;
/** Of one connection. */
const STREAMS = 200;
/** Streams reset in one turn before nothing more is read. */
const RESET_AT_ONCE_MAX = 64;
const CONNECTIONS = 3;
/** More than a peer lets be sent that reads nothing. */
const LONG = Buffer.alloc(10_000);

const authority = makeAuthority("ours");
const own = authority.issue(forLoopback);
const ways = ["in plain", "over TLS"] as const;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0)) await cleanUp();
});

/** A server whose streams begin with much that its peers do not read, and that counts what ends in each turn. */
async function openServer(way: (typeof ways)[number]) {
  const crowd = createCrowdRoom({ atOnceMax: ENDED_AT_ONCE_MAX });
  const http2 = createServer({ settings: { maxConcurrentStreams: 2 * STREAMS } });
  let begun = 0;
  const endedIn: number[] = [];
  const turns = countTurns();
  http2.on("stream", (stream: ServerHttp2Stream) => {
    begun++;
    stream.on("error", () => {});
    stream.on("close", () => endedIn.push(turns.now()));
    stream.respond();
    stream.write(LONG);
  });
  createBeginning({ crowd, atOnceMax: 10_000 })(http2);
  const accepted: Socket[] = [];
  let closed = 0;
  const accept = (socket: Socket) => {
    socket.on("error", () => {});
    http2.emit("connection", socket);
  };
  const note = (socket: Socket) => {
    accepted.push(socket);
    socket.on("error", () => {});
    socket.on("close", () => closed++);
  };
  const tls = createTls({ cert: own.certificate, key: own.key, ALPNProtocols: ["h2"] }, accept);
  const server: Server = createTcp((socket) => {
    note(socket);
    if (way === "in plain") accept(socket);
    else tls.emit("connection", socket);
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  cleanups.push(() => {
    turns.stop();
    for (const socket of accepted) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    ...{ crowd, accepted },
    begun: () => begun,
    closed: () => closed,
    ended: () => endedIn.length,
    mostInOneTurn: () => mostInOneTurn(endedIn),
  };
}

/** A peer that holds its connection in its own hands, and has so many streams open on it. */
async function openPeer(way: (typeof ways)[number], port: number, streams = STREAMS) {
  const tcp = connectTcp({ host: "127.0.0.1", port });
  tcp.on("error", () => {});
  const options = { socket: tcp, ca: authority.certificate, servername: "localhost", ALPNProtocols: ["h2"] };
  const socket = way === "in plain" ? tcp : connectTls(options);
  socket.on("error", () => {});
  const session: ClientHttp2Session = connectHttp2("http://localhost", { createConnection: () => socket });
  session.on("error", () => {});
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  const asked = Array.from({ length: streams }, () => {
    const stream = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
    stream.on("error", () => {});
    return new Promise((resolve) => stream.once("response", resolve));
  });
  await Promise.all(asked);
  cleanups.push(() => {
    session.destroy();
    tcp.destroy();
  });
  return { tcp, session };
}

async function crowdOf(way: (typeof ways)[number]) {
  const server = await openServer(way);
  const peers = await Promise.all(Array.from({ length: CONNECTIONS }, () => openPeer(way, server.port)));
  expect(server.begun()).toBe(CONNECTIONS * STREAMS);
  return { server, peers };
}

const leaving: readonly (readonly [string, (tcp: Socket) => unknown])[] = [
  ["go", (tcp) => tcp.destroy()],
  ["say no more, and would still listen", (tcp) => tcp.end()],
  ["reset them", (tcp) => tcp.resetAndDestroy()],
];

describe.each(ways)("%s", (way) => {
  test.each(leaving)("streams end some a turn where peers of many connections %s", async (_, leave) => {
    const { server, peers } = await crowdOf(way);
    for (const { tcp } of peers) leave(tcp);
    await vi.waitFor(() => expect(server.closed()).toBe(CONNECTIONS), 20_000);
    expect(server.ended()).toBe(CONNECTIONS * STREAMS);
    expect(server.mostInOneTurn()).toBeLessThanOrEqual(ENDED_AT_ONCE_MAX);
  });

  test("streams end some a turn where a server drops its connections", async () => {
    const { server } = await crowdOf(way);
    await server.crowd.each(server.accepted, (socket) => socket.destroy());
    await vi.waitFor(() => expect(server.closed()).toBe(CONNECTIONS), 20_000);
    expect(server.ended()).toBe(CONNECTIONS * STREAMS);
    expect(server.mostInOneTurn()).toBeLessThanOrEqual(ENDED_AT_ONCE_MAX);
  });

  test("where peers end very many streams themselves, one connection more is read in a turn, and then all again", async () => {
    const { server, peers } = await crowdOf(way);
    const other = await openPeer(way, server.port, 1);
    for (const { session } of peers) session.destroy();
    await vi.waitFor(() => expect(server.closed()).toBe(CONNECTIONS), 20_000);
    expect(server.ended()).toBe(CONNECTIONS * STREAMS);
    expect(server.mostInOneTurn()).toBeLessThan(RESET_AT_ONCE_MAX + STREAMS);
    await new Promise((resolve) => other.session.ping(resolve));
    expect(server.ended()).toBe(CONNECTIONS * STREAMS);
  });

  test("a connection that ends alone, with few streams, ends at once, though it is told again and again", async () => {
    const server = await openServer(way);
    await openPeer(way, server.port, 2);
    const [socket] = server.accepted;
    for (let times = 0; times < 3; times++) socket?.destroy(new Error("over"));
    await turnOfTheLoop();
    await vi.waitFor(() => expect(server.closed()).toBe(1), 20_000);
    expect(server.ended()).toBe(2);
  });
});
