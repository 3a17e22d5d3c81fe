import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { parentPort } from "node:worker_threads";
import type { Calls, Deed } from "./crowd.ts";

// Callers in a thread of their own, who know of the protocol as much as they need: what they cost is not measured.

/** Fewer than a server lets a connection have. */
const CALLS_A_CONNECTION = 250;
/** So that those who come together find the server at leisure, and it counts their time from when they began. */
const CALLS_AT_ONCE = 100;
const REST_MS = 10;

const sessions: ClientHttp2Session[] = [];
const streams: ClientHttp2Stream[] = [];
let ended = 0;

const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));

function begin(session: ClientHttp2Session, { path, headers, body, open, deadline }: Calls): ClientHttp2Stream {
  const left = deadline && { [deadline.header]: `${Math.max(1, deadline.atMs - Date.now())}${deadline.unit}` };
  const stream = session.request({ ":method": "POST", ":path": path, ...headers, ...left }, { endStream: false });
  stream.on("error", () => {});
  stream.on("close", () => {
    if (++ended === streams.length) parentPort?.postMessage("ended");
  });
  stream.resume();
  if (open) stream.write(body);
  else stream.end(body);
  return stream;
}

async function call(calls: Calls): Promise<void> {
  for (let at = 0; at < calls.count; at++) {
    if (at % CALLS_A_CONNECTION === 0) sessions.push(connect(calls.address).on("error", () => {}));
    const session = sessions.at(-1);
    if (session) streams.push(begin(session, calls));
    if (at % CALLS_AT_ONCE === CALLS_AT_ONCE - 1) await rest();
  }
}

parentPort?.on("message", (deed: Deed) => {
  if (deed === "hang up") for (const session of sessions) session.destroy();
  else if ("write" in deed) for (const stream of streams) stream.write(deed.write);
  else void call(deed);
});
