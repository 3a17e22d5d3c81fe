const nameCharsMax = 253;
const labelCharsMax = 63;

/**
 * Whether a text is a host name in lower case by RFC 1123: labels of letters, digits and inner hyphens, dots between
 * them and none at the end. A punycode label (`xn--…`) is a name like any other and equals only itself; one that encodes
 * nothing but ASCII is refused, because some programs read it as what it encodes.
 */
export function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > nameCharsMax) return false;
  return text.split(".").every(isLabel);
}

function isLabel(label: string): boolean {
  if (label.length === 0 || label.length > labelCharsMax) return false;
  if (label.startsWith("-") || label.endsWith("-") || label === "xn--") return false;
  for (let at = 0; at < label.length; at++) {
    const code = label.charCodeAt(at);
    const plain = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d;
    if (!plain) return false;
  }
  return true;
}

/** Whether programs may read the end of a host as a number, and so the host as an address: `127.1`, `0x7f000001`. */
export function endsInNumber(host: string): boolean {
  const last = host.slice(host.lastIndexOf(".") + 1);
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(last);
}
