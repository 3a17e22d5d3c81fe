import { performance } from "node:perf_hooks";
import { type Client, DeniedError, PausedError, type Session } from "@remit/sdk";

/** What became of one thing that the agent tried. */
export interface Attempt {
  readonly tool: string;
  readonly input: object;
  readonly decisionId: string;
  /** From asking to the answer, milliseconds. */
  readonly answeredMs: number;
  /** What the tool was really run with; absent when it did not run. */
  readonly ranWith?: object;
  readonly output?: string;
  /** What Remit wants to know before it lets the call run. */
  readonly questions?: readonly string[];
}

interface Started {
  readonly decisionId: string;
  readonly atMs: number;
  readonly ranWith: object;
}

/** The tools of the company. They touch nothing outside this process: what they would do is told. */
const work: Readonly<Record<string, (input: Record<string, unknown>) => string>> = {
  "invoices.read": ({ id }) => `invoice ${String(id)}: Nile Trading, paper, 40 EUR`,
  "payments.transfer": ({ to, amount, currency }) => `${String(amount)} ${String(currency)} sent to ${String(to)}`,
  "files.write": ({ path }) => `written to ${String(path)}`,
  "customers.delete": () => "all customers deleted",
};

export interface Bookkeeper {
  /** Tries a tool: it runs if Remit allows it, with what Remit decided. */
  attempt(tool: string, input: object): Promise<Attempt>;
}

/** An agent whose every tool is bound through the SDK, as any agent's would be. */
export function createBookkeeper(client: Client, session: Session): Bookkeeper {
  const tools = new Map(
    Object.entries(work).map(([name, run]) => {
      let started: Started | undefined;
      const bound = client.tool<Record<string, unknown>, string>(name, (input, { decision }) => {
        started = { decisionId: decision.decisionId, atMs: performance.now(), ranWith: input };
        return run(input);
      });
      return [name, { bound, take: () => started }] as const;
    }),
  );

  const toolOf = (name: string) => {
    const tool = tools.get(name);
    if (tool === undefined) throw new Error(`the bookkeeper has no tool ${name}`);
    return tool;
  };

  const watch = async (tool: string, input: object, call: () => Promise<string>): Promise<Attempt> => {
    const askedMs = performance.now();
    try {
      const output = await call();
      const started = toolOf(tool).take();
      if (started === undefined) throw new Error("a tool gave an output and did not run");
      const { decisionId, atMs, ranWith } = started;
      return { tool, input, decisionId, answeredMs: atMs - askedMs, ranWith, output };
    } catch (error) {
      const answeredMs = performance.now() - askedMs;
      if (error instanceof PausedError) {
        const { decisionId, questions } = error.paused;
        return { tool, input, decisionId, answeredMs, questions: questions.map(({ ask }) => ask) };
      }
      if (error instanceof DeniedError && error.decisionId !== undefined) {
        return { tool, input, decisionId: error.decisionId, answeredMs };
      }
      throw error;
    }
  };

  return {
    attempt: (tool, input) => watch(tool, input, () => toolOf(tool).bound(session, input as Record<string, unknown>)),
  };
}
