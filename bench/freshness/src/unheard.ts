import { once } from "node:events";
import { connect, createServer } from "node:net";

const HEARD = Buffer.from("listen remit_changed");
/** A channel of as many letters, on which nobody says anything. */
const UNHEARD = Buffer.from("listen remit_nothing");

/**
 * A way to Postgres on which hints are not heard, when `hints` is false: the same way without a change, when it is true,
 * so that both are measured through one.
 */
export async function wayTo(url: string, hints: boolean): Promise<{ readonly url: string; close(): void }> {
  const { port, hostname, searchParams } = new URL(url);
  const directory = searchParams.get("host");
  const number = port === "" ? 5432 : Number(port);
  const open = () =>
    directory?.startsWith("/") ? connect(`${directory}/.s.PGSQL.${number}`) : connect(number, directory ?? hostname);
  const listener = createServer({ noDelay: true }, (client) => {
    const server = open();
    client.on("data", (bytes: Buffer) => {
      const at = hints ? -1 : bytes.indexOf(HEARD);
      if (at >= 0) UNHEARD.copy(bytes, at);
      server.write(bytes);
    });
    server.pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
    client.on("close", () => server.end());
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const changed = new URL(url);
  changed.searchParams.delete("host");
  changed.host = `127.0.0.1:${address.port}`;
  return { url: changed.toString(), close: () => void listener.close() };
}
