import type { Amount } from "./amount.ts";
import type { CallRequest } from "./asked.ts";
import type { CallOptions } from "./book.ts";
import { misuse } from "./errors.ts";
import type { PausedCall } from "./paused.ts";
import type { Work } from "./run.ts";
import { schemaDigest } from "./schema-digest.ts";
import type { Session } from "./session.ts";

/** What is fixed for all calls of a tool. */
export interface ToolOptions<Input> {
  /** What a call is expected to cost, from its input. */
  readonly estimate?: ((input: Input) => readonly Amount[]) | undefined;
  /**
   * The tool's input schema as this process has it, or the digest of it: when Remit has another one registered, the
   * calls are denied with `tool_schema_changed`. Give one of them.
   */
  readonly inputSchema?: object | undefined;
  readonly schemaDigest?: string | undefined;
  /** Constraints that this tool honours itself, besides those of the client. */
  readonly supportedConstraints?: readonly string[] | undefined;
}

/** What differs from call to call. */
export type ToolCallOptions = Omit<CallRequest, "tool" | "input"> & CallOptions;

/** Answers to the questions of a clarification, by question id. */
export interface Answers {
  readonly answers?: object | undefined;
}

/**
 * A tool that runs only when Remit allows it, with what was decided. Resolves with what the tool returned; rejects with
 * `DeniedError`, `PausedError`, `RemitError`, `ConstraintError` or whatever the tool threw, unchanged.
 */
export interface GuardedTool<Input, Output> {
  (session: Session, input: Input, options?: ToolCallOptions): Promise<Output>;
  /** Asks a paused call again, with answers if it had questions, and runs it if it is allowed now. */
  resume(session: Session, paused: PausedCall, options?: Answers & CallOptions): Promise<Output>;
  readonly tool: string;
}

/** Asks, and runs the work if it is allowed. */
export type Guard = <Input extends object, Output>(
  session: Session,
  call: CallRequest & { readonly input: Input } & CallOptions,
  work: Work<Input, Output>,
) => Promise<Output>;

/** The request that asks a paused call again. */
export function resumption(paused: PausedCall, { answers }: Answers): CallRequest {
  const { callId, tool, input, context, estimate } = paused;
  return { callId, tool, input, context, estimate, answers };
}

function digestOfSchema({ inputSchema, schemaDigest: given }: ToolOptions<never>): string | undefined {
  if (inputSchema === undefined) return given;
  if (given !== undefined) {
    throw misuse("schemaDigest", "a tool has an input schema or its digest, not both", "leave one of them out");
  }
  return schemaDigest(inputSchema);
}

/** Binds a tool once, so that what runs is what was decided. */
export function bindTool<Input extends object, Output>(
  guard: Guard,
  checkPaused: (session: Session, paused: PausedCall, tool: string) => void,
  name: string,
  work: Work<Input, Output>,
  options: ToolOptions<Input>,
): GuardedTool<Input, Output> {
  const digest = digestOfSchema(options);
  const supported = (more: readonly string[] = []): readonly string[] => [
    ...(options.supportedConstraints ?? []),
    ...more,
  ];
  const call = async (session: Session, input: Input, called: ToolCallOptions = {}): Promise<Output> => {
    const estimate = called.estimate ?? options.estimate?.(input);
    const supportedConstraints = supported(called.supportedConstraints);
    return guard(session, { schemaDigest: digest, ...called, tool: name, input, estimate, supportedConstraints }, work);
  };
  const resume: GuardedTool<Input, Output>["resume"] = async (session, paused, called = {}) => {
    checkPaused(session, paused, name);
    const supportedConstraints = supported(called.supportedConstraints);
    // What was proposed then is what the tool takes: it came from a call of this tool.
    const input = paused.input as unknown as Input;
    const again = {
      ...resumption(paused, called),
      schemaDigest: digest,
      input,
      signal: called.signal,
      supportedConstraints,
    };
    return guard(session, again, work);
  };
  return Object.assign(call, { resume, tool: name });
}
