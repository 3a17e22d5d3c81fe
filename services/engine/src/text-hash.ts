/**
 * A hash of a text's UTF-16 code units, FNV-1a with its bits mixed, of 32 bits and with its sign. The same everywhere, so
 * whoever writes a document may choose texts that share one: what goes by it must stay fast where they do.
 */
export function hashOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
