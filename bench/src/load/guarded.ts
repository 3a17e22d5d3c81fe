import { createClient, type Session } from "@remit/sdk";
import type { Target } from "./target.ts";

export interface GuardedOptions {
  /** host:port of the gRPC lane. */
  readonly address: string;
  readonly key: string;
  readonly agent: string;
  /** Calls are asked in their sessions in turn. */
  readonly sessions: number;
  readonly tool: string;
  readonly input: object;
  readonly context: object;
}

/**
 * Guarded calls through the Node SDK, of a tool that does nothing: asked, decided, run, and reported behind the answer.
 * What an agent waits for before its tool's result is there; two entries in the ledger a call.
 */
export async function openGuarded(options: GuardedOptions): Promise<Target> {
  const { address, key, agent, tool, input, context } = options;
  const client = createClient({ address, key, supportedConstraints: ["maxOutputBytes"], log: () => {} });
  await client.ready();
  const sessions: Session[] = [];
  for (let i = 0; i < options.sessions; i += 1)
    sessions.push(await client.openSession({ agent, principal: { id: `person-${i}` } }));
  let turn = 0;
  return {
    lost: new Promise<never>(() => {}),
    problems: () => ({}),
    close: () => void client.close(),
    call(done) {
      const session = sessions[turn % sessions.length];
      if (session === undefined) throw new Error("no session to ask in");
      turn += 1;
      client
        .guard(session, { tool, input, context }, async () => ({ ok: true }))
        .then(
          () => done(),
          (error: unknown) => done(error instanceof Error ? error.message : String(error)),
        );
    },
  };
}
