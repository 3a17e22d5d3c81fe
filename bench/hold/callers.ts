import type { IncomingHttpHeaders } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { parentPort } from "node:worker_threads";
import type { Calls, Deed } from "./crowd.ts";

// Callers in a thread of their own, who know of the protocol as much as they need: what they cost is not measured.

/** Fewer than a server lets a connection have. */
const CALLS_A_CONNECTION = 250;
/** So that those who come together find the server at leisure, and it counts their time from when they began. */
const CALLS_AT_ONCE = 100;
const REST_MS = 10;

const sessions: ClientHttp2Session[] = [];
const sockets: Socket[] = [];
const streams: ClientHttp2Stream[] = [];
let ended = 0;
/** What calls were answered, over gRPC by its own status, and how often. */
const answered: Record<string, number> = {};

const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));

const note = (headers: IncomingHttpHeaders) => {
  const status =
    headers["grpc-status"] ?? (headers["content-type"] === "application/proto" ? headers[":status"] : undefined);
  if (status !== undefined) answered[String(status)] = (answered[String(status)] ?? 0) + 1;
};

function begin(session: ClientHttp2Session, calls: Calls, at: number): ClientHttp2Stream {
  const { path, headers, open, deadline } = calls;
  const body = calls.bodies?.[at] ?? calls.body;
  const left = deadline && { [deadline.header]: `${Math.max(1, deadline.atMs - Date.now())}${deadline.unit}` };
  const stream = session.request({ ":method": "POST", ":path": path, ...headers, ...left }, { endStream: false });
  stream.on("error", () => {});
  stream.on("response", note);
  stream.on("trailers", note);
  stream.on("close", () => {
    if (++ended === streams.length) parentPort?.postMessage({ answered });
  });
  stream.resume();
  if (open) stream.write(body);
  else stream.end(body);
  return stream;
}

function connectTo(address: string): ClientHttp2Session {
  const { hostname: host, port } = new URL(address);
  const socket = connectTcp({ host, port: Number(port) });
  sockets.push(socket);
  return connect(address, { createConnection: () => socket }).on("error", () => {});
}

async function call(calls: Calls): Promise<void> {
  for (let at = 0; at < calls.count; at++) {
    if (at % CALLS_A_CONNECTION === 0) sessions.push(connectTo(calls.address));
    const session = sessions.at(-1);
    if (session) streams.push(begin(session, calls, at));
    if (at % CALLS_AT_ONCE === CALLS_AT_ONCE - 1) await rest();
  }
}

/** Connections that are there before anything is asked on them. */
async function getReady({ address, count }: Calls): Promise<void> {
  const opened = Array.from({ length: Math.ceil(count / CALLS_A_CONNECTION) }, () => connectTo(address));
  sessions.push(...opened);
  await Promise.all(opened.map((session) => new Promise((resolve) => session.once("remoteSettings", resolve))));
  parentPort?.postMessage("ready");
}

/** Asks all of it in one turn, on the connections that are there. */
function callTogether(calls: Calls): void {
  for (let at = 0; at < calls.count; at++) {
    const session = sessions[Math.floor(at / CALLS_A_CONNECTION)];
    if (session) streams.push(begin(session, calls, at));
  }
}

parentPort?.on("message", (deed: Deed) => {
  if (deed === "hang up") for (const session of sessions) session.destroy();
  else if (deed === "break") for (const socket of sockets) socket.resetAndDestroy();
  else if ("write" in deed) for (const stream of streams) stream.write(deed.write);
  else if ("ready" in deed) void getReady(deed.ready);
  else if ("together" in deed) callTogether(deed.together);
  else void call(deed);
});
