const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/;

/** A SPIFFE id's parts; undefined for what is none. Source: the SPIFFE-ID standard, section 2. */
export function parseSpiffeId(
  text: string,
): { readonly trustDomain: string; readonly id: string; readonly path: string } | undefined {
  const [, trustDomain, path = ""] = text.length <= 2048 ? (SPIFFE_ID.exec(text) ?? []) : [];
  if (trustDomain === undefined) return undefined;
  // A path that could be read as another one is none.
  if (path.split("/").some((segment) => segment === "." || segment === "..")) return undefined;
  return { trustDomain, id: `spiffe://${trustDomain}`, path };
}
