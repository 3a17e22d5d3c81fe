import { oneLine } from "./plain-text.ts";

const nameCharsMax = 256;
const fileCharsMax = 100;

/** A name that Remit registers: what it does not take becomes `_`. Names that are taken get a number. */
export function registrableName(offered: string, prefix: string, taken: Set<string>): string {
  const plain = (prefix + oneLine(offered, nameCharsMax))
    .replace(/[^A-Za-z0-9_.:/@+-]/g, "_")
    .slice(0, nameCharsMax - 8);
  const first = /^[A-Za-z0-9_]/.test(plain) ? plain : `_${plain}`;
  return unique(first, taken);
}

/** A file name for a tool, which differs from the others even where letters differ in case alone. */
export function fileName(name: string, taken: Set<string>): string {
  const plain = name
    .replace(/[^A-Za-z0-9_.-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(0, fileCharsMax);
  // Not `NAME.yaml`: a tool may be called `run_test`, and `*_test.yaml` is a policy test.
  return `${unique(plain, taken, (text) => text.toLowerCase())}.tool.yaml`;
}

/** What a document calls a server: `mcp://filesystem`. */
export function serverName(scheme: string, title: string): string {
  const plain = oneLine(title, 100)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return `${scheme}://${plain || "unnamed"}`;
}

function unique(name: string, taken: Set<string>, key: (text: string) => string = (text) => text): string {
  let free = name;
  for (let number = 2; taken.has(key(free)); number++) free = `${name}_${number}`;
  taken.add(key(free));
  return free;
}
