import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exitCodes, Stop } from "../stop.ts";

const HOST = "127.0.0.1";
const PATH = "/callback";

/** Where a browser brings the issuer's answer: a page of this process, on loopback (RFC 8252, section 7.3). */
export interface Callback extends AsyncDisposable {
  readonly redirectUri: string;
  /** The address that the browser came to, once it came with this login's state. Rejects when nobody comes in time. */
  answered(): Promise<URL>;
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-security-policy": "default-src 'none'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
  });
  response.end(`${text}\n`);
}

/**
 * Waits for one answer. Whoever comes with another state is told so and ignored: another page in the browser can send
 * somebody here, and must neither end this login nor put its own in its place.
 */
export async function openCallback(options: {
  readonly port: number;
  readonly state: string;
  readonly withinMs: number;
  readonly onStrange: () => void;
}): Promise<Callback> {
  const { port, state, withinMs, onStrange } = options;
  const { promise, resolve, reject } = Promise.withResolvers<URL>();
  // Nobody may be waiting when the time is up.
  promise.catch(() => undefined);
  const server = createServer((request, response) => {
    const real = (server.address() as AddressInfo).port;
    const url = new URL(request.url ?? "/", `http://${HOST}:${real}`);
    // A name that was made to mean this machine is no name of ours.
    if (request.headers.host !== `${HOST}:${real}`) return say(response, 400, "this page has another address");
    if (request.method !== "GET" || url.pathname !== PATH) return say(response, 404, "there is no such page");
    if (url.searchParams.get("state") !== state) {
      onStrange();
      return say(response, 400, "this answer belongs to another login; start again with `remit login`");
    }
    say(response, 200, "You can close this page: your command line says whether you are logged in.");
    resolve(url);
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", (error) => {
      const fix = "choose another with --port, or log in with --device";
      failed(new Stop(exitCodes.unavailable, `port ${port} of ${HOST} cannot be opened: ${error.message}`, fix, error));
    });
    server.listen(port, HOST, listening);
  });
  const late = setTimeout(() => {
    const waited = `${Math.round(withinMs / 1000)} seconds`;
    const fix = "try again, or with --device where no browser reaches this machine";
    reject(new Stop(exitCodes.no, `nobody logged in within ${waited}`, fix));
  }, withinMs);
  return {
    redirectUri: `http://${HOST}:${(server.address() as AddressInfo).port}${PATH}`,
    answered: () => promise,
    async [Symbol.asyncDispose]() {
      clearTimeout(late);
      server.close();
      // What a browser holds open ends once its answer has left.
      setTimeout(() => server.closeAllConnections(), 500).unref();
    },
  };
}
