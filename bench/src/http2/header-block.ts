// Request headers in HPACK (RFC 7541), as every gRPC client sends them: written out once, an index of one byte from then on.

export type Header = readonly [name: string, value: string];

const firstDynamicIndex = 62;
const entryOverheadBytes = 32;

/** The table that both sides keep unless told otherwise. */
export const headerTableBytes = 4096;

/** Entries of RFC 7541's static table that a request needs, whole or by name. */
const staticEntries = new Map<string, number>([
  [":method\0POST", 3],
  [":scheme\0http", 6],
  [":path\0/", 4],
]);
const staticNames = new Map<string, number>([
  [":authority", 1],
  [":path", 4],
  ["authorization", 23],
  ["content-length", 28],
  ["content-type", 31],
]);

/** An integer with a prefix of `prefixBits` bits whose remaining high bits are `high`. RFC 7541, 5.1. */
export function prefixedInteger(value: number, prefixBits: number, high: number): number[] {
  const most = 2 ** prefixBits - 1;
  if (value < most) return [high | value];
  const bytes = [high | most];
  let rest = value - most;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function literalString(text: string): number[] {
  const bytes = Buffer.from(text, "latin1");
  return [...prefixedInteger(bytes.length, 7, 0), ...bytes];
}

/** Encodes the header lists of one connection; never evicts, so an entry's index is a matter of arithmetic. */
export function headerEncoder(): (headers: readonly Header[]) => Buffer {
  const order = new Map<string, number>();
  let tableBytes = 0;
  return (headers) => {
    const block: number[] = [];
    for (const [name, value] of headers) {
      const key = `${name}\0${value}`;
      const fixed = staticEntries.get(key);
      const known = order.get(key);
      if (fixed !== undefined) block.push(...prefixedInteger(fixed, 7, 0x80));
      else if (known !== undefined) block.push(...prefixedInteger(firstDynamicIndex + order.size - 1 - known, 7, 0x80));
      else {
        const entryBytes = name.length + value.length + entryOverheadBytes;
        const fits = tableBytes + entryBytes <= headerTableBytes;
        const nameIndex = staticNames.get(name) ?? 0;
        block.push(...(fits ? prefixedInteger(nameIndex, 6, 0x40) : prefixedInteger(nameIndex, 4, 0)));
        if (nameIndex === 0) block.push(...literalString(name));
        block.push(...literalString(value));
        if (fits) {
          order.set(key, order.size);
          tableBytes += entryBytes;
        }
      }
    }
    return Buffer.from(block);
  };
}
