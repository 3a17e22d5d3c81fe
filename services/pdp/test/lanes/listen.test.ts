import type { ServerResponse } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer as createNetServer } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { type Handler, type Listener, listen, type Timings } from "../../src/server/listen.ts";
import { countTurns, mostInOneTurn } from "../support/turns.ts";
import { gate } from "./toy.ts";

const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close(0)));
});

async function start(handler: Handler, timings: Partial<Timings> = {}, port = 0): Promise<Listener> {
  const address = { host: "127.0.0.1", port };
  const listener = await listen({ address, variable: "REMIT_HTTP_ADDRESS", handler, log: silentLog, timings });
  open.push(listener);
  return listener;
}

const tellVersion: Handler = (request, response) => {
  response.writeHead(200);
  response.end(request.httpVersion);
};

const url = ({ address }: Listener) => `http://${address.host}:${address.port}/`;

function ask(session: ClientHttp2Session): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": "/" });
    let text = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      text += chunk;
    });
    stream.on("end", () => resolve(text));
    stream.on("error", reject);
  });
}

/** Connects, says these words, and answers everything heard until the connection is closed. */
function say({ address }: Listener, ...words: string[]): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(address.port, address.host, () => {
      for (const word of words) socket.write(word);
    });
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      heard += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
  });
}

test("one port speaks HTTP/1.1 and HTTP/2 at once, and tells which it got", async () => {
  const listener = await start(tellVersion);
  expect(listener.address.port).toBeGreaterThan(0);
  const session = connectHttp2(url(listener));
  expect(await Promise.all([ask(session), fetch(url(listener)).then((got) => got.text()), ask(session)])).toEqual([
    "2.0",
    "1.1",
    "2.0",
  ]);
  session.close();
});

test("what closes as a connection ends is told so some at a time, each turn", async () => {
  const CALLS = limits.connectionStreamsMax;
  const turns = countTurns();
  const closedAt: number[] = [];
  const arrived = gate<void>();
  const closed = gate<void>();
  let calls = 0;
  const listener = await start((request) => {
    request.on("close", () => {
      if (closedAt.push(turns.now()) === CALLS) closed.open();
    });
    if (++calls === CALLS) arrived.open();
  });
  const session = connectHttp2(url(listener)).on("error", () => {});
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  for (let call = 0; call < CALLS; call++) session.request({ ":path": "/" }).on("error", () => {});
  await arrived.passed;
  session.destroy();
  await closed.passed;
  turns.stop();
  expect(mostInOneTurn(closedAt)).toBeLessThanOrEqual(32);
});

test("a preface that comes byte by byte is still HTTP/2", async () => {
  const listener = await start(tellVersion);
  const heard = await new Promise<Buffer>((resolve) => {
    const socket = connect(listener.address.port, listener.address.host);
    socket.setNoDelay(true);
    const bytes = [...Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")];
    const next = () => {
      const byte = bytes.shift();
      if (byte !== undefined) socket.write(Buffer.from([byte]), () => setImmediate(next));
      else socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    };
    next();
    socket.on("data", (chunk: Buffer) => {
      resolve(chunk);
      socket.destroy();
    });
  });
  const settings = 4;
  expect(heard[3]).toBe(settings);
});

test("a request with a body in its first packet is read whole over HTTP/1.1", async () => {
  const listener = await start((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => response.end(text));
  });
  const heard = await say(
    listener,
    "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
  );
  expect(heard).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*hello$/);
});

test("a busy port is a clear error that names the address and the variable", async () => {
  const taken = createNetServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  await expect(start(tellVersion, {}, port)).rejects.toMatchObject({
    kind: "precondition",
    message: `127.0.0.1:${port} is in use by another process (REMIT_HTTP_ADDRESS)`,
    detail: { field: "REMIT_HTTP_ADDRESS" },
  });
  taken.close();
});

test("an address of another machine is a clear error", async () => {
  const address = { host: "192.0.2.1", port: 0 };
  const listening = listen({ address, variable: "REMIT_ADMIN_ADDRESS", handler: tellVersion, log: silentLog });
  await expect(listening).rejects.toThrow("192.0.2.1:0 is not an address of this machine (REMIT_ADMIN_ADDRESS)");
});

test.each([
  ["nothing at all"],
  ["the beginning of a preface", "PR"],
  ["the beginning of a request", "GET / HTTP/1.1\r\nhost:"],
])("a peer that says %s is dropped in time", async (_, ...words) => {
  const listener = await start(tellVersion, { headersMs: 50 });
  const heard = await say(listener, ...words);
  expect(heard).toMatch(/^(|HTTP\/1\.1 408 [\s\S]*)$/);
});

test("a body that does not arrive is dropped in time", async () => {
  const listener = await start(() => {}, { headersMs: 50, requestMs: 60 });
  const heard = await say(listener, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf");
  expect(heard).toMatch(/^HTTP\/1\.1 408 /);
});

test("a connection without requests is closed in time, over either version", async () => {
  const listener = await start(tellVersion, { idleMs: 50 });
  const heard = await say(listener, "GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  expect(heard).toContain("200 OK");
  const session = connectHttp2(url(listener));
  await ask(session);
  await new Promise<void>((resolve) => session.on("close", resolve));
});

test("an HTTP/2 connection with an open stream is not idle", async () => {
  const answer = gate<void>();
  let waits = 0;
  const listener = await start(
    (_, response) => {
      waits++;
      void answer.passed.then(() => response.end("late"));
    },
    { idleMs: 20 },
  );
  const session = connectHttp2(url(listener));
  const asked = ask(session);
  await vi.waitFor(() => expect(waits).toBe(1));
  // Another connection is opened and closed for idleness in the meantime: so much time has passed.
  const other = connectHttp2(url(listener));
  await new Promise<void>((resolve) => other.on("close", resolve));
  answer.open();
  expect(await asked).toBe("late");
  session.close();
});

test("what is asked on an HTTP/2 connection is over when its peer is gone without a word", async () => {
  const asked: Promise<void>[] = [];
  const listener = await start((_, response) => {
    asked.push(new Promise((resolve) => void response.on("close", () => resolve())));
  });
  const socket = connect(listener.address.port, listener.address.host);
  const session = connectHttp2(url(listener), { createConnection: () => socket });
  session.on("error", () => {});
  for (let at = 0; at < 3; at++) void ask(session).catch(() => {});
  await vi.waitFor(() => expect(asked).toHaveLength(3));
  socket.destroy();
  await Promise.all(asked);
});

test.each([
  ["without a host", "GET / HTTP/1.0\r\n\r\n"],
  ["with a host that is none", "GET / HTTP/1.1\r\nhost: [\r\nconnection: close\r\n\r\n"],
])("a handler that throws at a request %s costs one answer, not the process", async (_, words) => {
  const listener = await start((request, response) => {
    const { host } = request.headers;
    response.end(new URL("/", `http://${host ?? "["}`).host);
  });
  expect(await say(listener, words)).toMatch(/^HTTP\/1\.1 400 /);
  expect((await fetch(url(listener))).status).toBe(200);
});

test("what is no HTTP is answered 400", async () => {
  const listener = await start(tellVersion);
  expect(await say(listener, "\u0016\u0003\u0001 hello over TLS\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
});

test("closing lets what is in flight finish, over both versions, and accepts nothing new", async () => {
  const waiting: ServerResponse[] = [];
  const listener = await start((_, response) => void waiting.push(response as ServerResponse));
  const session = connectHttp2(url(listener));
  const goneAway = new Promise<void>((resolve) => session.on("goaway", () => resolve()));
  const first = fetch(url(listener));
  const second = ask(session);
  await vi.waitFor(() => expect(waiting).toHaveLength(2));
  const closed = listener.close(30_000);
  await goneAway;
  await expect(fetch(url(listener))).rejects.toThrow();
  for (const response of waiting) response.end("done");
  const answer = await first;
  expect(await answer.text()).toBe("done");
  expect(answer.headers.get("connection")).toBe("close");
  expect(await second).toBe("done");
  await closed;
});

test("closing drops what has not finished when the grace is over", async () => {
  let waiting = 0;
  const listener = await start(() => void waiting++);
  const session = connectHttp2(url(listener));
  session.on("error", () => {});
  const first = fetch(url(listener)).catch(() => "dropped");
  const second = ask(session).catch(() => "dropped");
  await vi.waitFor(() => expect(waiting).toBe(2));
  await listener.close(20);
  expect(await first).toBe("dropped");
  await second;
  expect(session.destroyed || session.closed).toBe(true);
});

test("closing does not wait for connections that ask nothing", async () => {
  const listener = await start(tellVersion);
  const session = connectHttp2(url(listener));
  await ask(session);
  const silent = connect(listener.address.port, listener.address.host);
  const dropped = new Promise<void>((resolve) => silent.on("close", () => resolve()));
  await new Promise<void>((resolve) => silent.on("connect", resolve));
  await fetch(url(listener)).then((got) => got.text());
  await listener.close(30_000);
  await dropped;
});
