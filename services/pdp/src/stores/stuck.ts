import pg from "pg";

/** Whether a Postgres lets anybody in. `not_yet`: it says itself that it does not; `silent`: nobody answers. */
export type Standing = "open" | "not_yet" | "silent";

/** What Postgres says while it starts, recovers or stops. */
const CANNOT_CONNECT_NOW = "57P03";
const LOOK_MS_MAX = 2_000;

/** Knocks at the socket of an embedded Postgres. Never rejects. */
export async function standingAt(socketDir: string, port: number): Promise<Standing> {
  const client = new pg.Client({
    ...{ host: socketDir, port, user: "remit", database: "postgres", application_name: "remit-watch" },
    connectionTimeoutMillis: LOOK_MS_MAX,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return "open";
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) return "silent";
    // Too many clients, and whatever else is said by somebody who serves others.
    return error.code === CANNOT_CONNECT_NOW ? "not_yet" : "open";
  } finally {
    await client.end().catch(() => {});
  }
}

/** How long a Postgres may let nobody in, told in looks at it. */
export interface Patience {
  /** Takes in a look. Answers whether that was one too many: then twice as many are borne the next time. */
  tried(standing: Standing): boolean;
  /** As many looks in a row are borne now. */
  bears(): number;
}

/**
 * Bears so many looks in a row at first, and up to so many in the end. It grows because a recovery that is only slow begins
 * anew with every start: sooner or later it is given the time that it takes. Once somebody was let in all is as at first.
 */
export function createPatience(firstLooks: number, mostLooks: number): Patience {
  let bears = firstLooks;
  let seen = 0;
  return {
    bears: () => bears,
    tried(standing) {
      seen = standing === "not_yet" ? seen + 1 : 0;
      if (standing === "open") bears = firstLooks;
      if (seen <= bears) return false;
      seen = 0;
      bears = Math.min(bears * 2, mostLooks);
      return true;
    },
  };
}

/** Looks every so often, until it is stopped or the patience is at its end; that is told once. Answers how to stop. */
export function watchUntilStuck(options: {
  readonly look: () => Promise<Standing>;
  readonly everyMs: number;
  readonly patience: Patience;
  readonly onStuck: () => void;
}): () => void {
  const { look, everyMs, patience, onStuck } = options;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const next = (): void => {
    timer = setTimeout(async () => {
      const standing = await look();
      if (over) return;
      if (!patience.tried(standing)) return next();
      over = true;
      onStuck();
    }, everyMs).unref();
  };
  next();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
