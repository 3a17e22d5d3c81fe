import type { Socket } from "node:net";

const WORDS = "this port speaks TLS: use https://, or give the client a trust bundle";

/** An empty SETTINGS frame, and GOAWAY with INADEQUATE_SECURITY and words for people (RFC 9113, 6.5 and 6.8). */
function goAway(): Buffer {
  const words = Buffer.from(WORDS);
  const frame = Buffer.alloc(9 + 9 + 8);
  frame.writeUInt8(4, 3);
  frame.writeUIntBE(8 + words.length, 9, 3);
  frame.writeUInt8(7, 12);
  frame.writeUInt32BE(0xc, 22);
  return Buffer.concat([frame, words]);
}

/** Tells a client that speaks in clear text to a port of TLS so, in its own protocol, and closes the connection. */
export function refusePlaintext(socket: Socket): void {
  const begins = (socket.read() as Buffer | null)?.toString("latin1", 0, 3) ?? "";
  if (begins === "PRI") {
    socket.end(goAway());
  } else {
    const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: ${WORDS.length + 1}`;
    socket.end(`${head}\r\nconnection: close\r\n\r\n${WORDS}\n`);
  }
  socket.resume();
  setTimeout(() => socket.destroy(), 1_000).unref();
}
