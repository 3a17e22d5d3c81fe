import type { SigningKeys } from "../identities/index.ts";
import type { Handler } from "./listen.ts";

const PATH = "/.well-known/jwks.json";
// After a leak the older keys are gone from here at once: what others remember is short.
const MAX_AGE_SECONDS = 60;

/** Answers the public halves of the signing keys, RFC 7517, to anybody; 404 to everything else. */
export function jwksHandler(jwks: SigningKeys["jwks"]): Handler {
  return (request, response) => {
    const reads = request.method === "GET" || request.method === "HEAD";
    if ((request.url ?? "").split("?")[0] !== PATH) {
      response.writeHead(404);
      response.end();
    } else if (!reads) {
      response.writeHead(405, { allow: "GET, HEAD" });
      response.end();
    } else {
      const type = "application/jwk-set+json";
      response.writeHead(200, { "content-type": type, "cache-control": `public, max-age=${MAX_AGE_SECONDS}` });
      response.end(request.method === "HEAD" ? "" : JSON.stringify(jwks()));
    }
  };
}
