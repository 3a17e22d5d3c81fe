import { objectJson } from "./asked.ts";
import { schemaTextDigest } from "./digest.ts";

/**
 * The digest of a tool's input schema as Remit writes it: `sha256:<hex>` over `remit/schema/v1`, a line feed and the
 * canonical JSON (RFC 8785). Throws `RemitError` for what is not plain JSON.
 */
export function schemaDigest(inputSchema: object): string {
  return schemaTextDigest(objectJson("inputSchema", inputSchema));
}
