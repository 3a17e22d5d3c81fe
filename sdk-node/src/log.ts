/** One thing worth knowing about the client itself. Never holds a key, a token or an input. */
export interface LogEvent {
  readonly level: "info" | "warn" | "error";
  /** Stable: stream_cut, report_refused, reports_lost ... */
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export type Log = (event: LogEvent) => void;

/** Warnings and errors to stderr, one line each. */
export const stderrLog: Log = ({ level, event, message }) => {
  if (level !== "info") console.error(`remit: ${message} (${event})`);
};
