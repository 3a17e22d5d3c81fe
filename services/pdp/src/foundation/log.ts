/** What the rooms write to. Fields never hold inputs, tokens or keys. */
export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
