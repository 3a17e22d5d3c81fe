/** What the process ends with. `no` means that the answer is no: denied, refused, lint found an error. */
export const exitCodes = { ok: 0, no: 1, usage: 2, unavailable: 3, config: 78 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with a message for people. */
export class Stop extends Error {
  readonly code: ExitCode;
  readonly fix: string | undefined;

  constructor(code: ExitCode, message: string, fix?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Stop";
    this.code = code;
    this.fix = fix;
  }
}

/** The command was called wrongly. */
export function usage(message: string, fix?: string): Stop {
  return new Stop(exitCodes.usage, message, fix);
}
