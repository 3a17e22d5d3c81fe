import { onTestFinished } from "vitest";
import { type Client, type ClientOptions, createClient, type LogEvent, type Session } from "../../src/index.ts";
import { type FakeServer, startFake } from "./fake-server.ts";
import { type ManualTimers, manualTimers } from "./manual-timers.ts";

export interface Harness {
  readonly server: FakeServer;
  readonly timers: ManualTimers;
  readonly logged: LogEvent[];
  readonly client: Client;
  readonly session: Session;
  /** Another client of the same server. */
  connect(options?: ClientOptions): Client;
}

/** A scripted server, a clock that stands still, a client and one open session; all gone when the test is. */
export async function harness(options: ClientOptions = {}): Promise<Harness> {
  const server = await startFake();
  const timers = manualTimers();
  const logged: LogEvent[] = [];
  const clients: Client[] = [];
  const connect = (more: ClientOptions = {}): Client => {
    const log = (event: LogEvent): void => {
      logged.push(event);
    };
    const where = more.addresses ? {} : { address: server.address };
    const made = createClient({ ...where, key: server.key, timers, log, random: () => 0.5, ...more });
    clients.push(made);
    return made;
  };
  const client = connect(options);
  onTestFinished(async () => {
    const closing = Promise.all(clients.map((one) => one.close({ timeoutMs: 1 })));
    timers.advance(1);
    await closing;
    server.stop();
  });
  const session = await client.openSession({ agent: "support", principal: { id: "ada" }, runId: "r1" });
  return { server, timers, logged, client, session, connect };
}

/** A promise that a test settles. */
export function deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  return Promise.withResolvers<T>();
}

/** What a promise was rejected with. */
export async function rejection<E extends Error>(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => E,
): Promise<E> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome && outcome.error instanceof kind) return outcome.error;
  throw new Error(`expected a ${kind.name}, got ${JSON.stringify(outcome)}`, {
    cause: "error" in outcome && outcome.error,
  });
}
