// A prepared request body: encoded once, sent many times, with the call id overwritten in place. A decision point that
// recognises a repeated call answers it from memory, so a body that never changes would measure the wrong thing.

/** Length of the placeholder, and of every id written over it. ASCII, hence the same number of bytes. */
const idLength = 24;
export const idPlaceholder = "@".repeat(idLength);

export interface Prepared {
  readonly bytes: Buffer;
  /** Where ids stand in `bytes`: none in a body without a call id, several in a batch. */
  readonly idsAt: readonly number[];
}

/** The prepared body, its placeholders found. */
export function prepare(body: Uint8Array): Prepared {
  const bytes = Buffer.from(body);
  const idsAt: number[] = [];
  for (let at = bytes.indexOf(idPlaceholder); at >= 0; at = bytes.indexOf(idPlaceholder, at + idLength)) idsAt.push(at);
  return { bytes, idsAt };
}

/** Five bytes of gRPC framing (not compressed, big-endian length) and the message. */
export function grpcMessage(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}

/** Ids of a fixed length: a run's own prefix (ASCII, at most 12 characters) and a counter. */
export function idWriter(prefix: string): (into: Buffer, at: number) => void {
  const head = Buffer.from(`${prefix.slice(0, 11)}-`.padEnd(12, "-"), "latin1");
  const digits = idLength - head.length;
  let next = 0;
  return (into, at) => {
    head.copy(into, at);
    let rest = next;
    next += 1;
    for (let i = digits - 1; i >= 0; i -= 1) {
      into[at + head.length + i] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  };
}
