import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/**
 * The keeper is a shell in its own process group between us and Postgres. It holds the reading end of a pipe whose
 * writing end is ours alone; when that pipe ends — we closed it, or we died in whatever way — it stops Postgres and
 * removes what was temporary. A Ctrl-C on the terminal does not reach it, so queries are answered while we drain.
 *
 * Arguments: place (temporary: socket, log, and the data of a throw-away server), scrap (a half-made cluster, or empty),
 * signal that stops Postgres, initdb (or empty), its --no-sync (or empty), new cluster, postgres, data directory; then
 * Postgres's options.
 */
const KEEPER = `
place=$1 scrap=$2 final=$3 initdb=$4 sync=$5 new=$6 postgres=$7 data=$8
shift 8
over= child= signal=KILL status=0
stop() {
  [ -z "$child" ] || kill -s "$signal" "$child" 2>/dev/null
  [ -z "$over" ] || return 0
  over=1
  # A client that never reads must not keep us for ever.
  [ -z "$child" ] || ( sleep 20; kill -s QUIT "$child"; sleep 10; kill -s KILL "$child" ) >/dev/null 2>&1 3<&- &
}
attend() {
  [ -z "$over" ] || return 1
  "$@" </dev/null 3<&- &
  child=$!
  [ -z "$over" ] || stop
  while :; do
    wait "$child"; status=$?
    kill -0 "$child" 2>/dev/null || break
  done
  child=
  return "$status"
}
finish() {
  trap '' USR1 TERM INT HUP
  kill -TERM 0
  [ "$1" -eq 0 ] || tail -n 40 "$place/log" 2>/dev/null
  rm -rf "$place" \${scrap:+"$scrap"} || { sleep 1; rm -rf "$place" \${scrap:+"$scrap"}; }
  exit "$1"
}
umask 077
trap stop USR1 TERM INT HUP
# What we say to somebody who is gone must not end us before we have cleaned up.
trap '' PIPE
mkdir "$place" || exit 70
exec 2>"$place/log"
( read -r _ <&3; kill -USR1 $$ ) >/dev/null 2>&1 &
exec 3<&-
if [ -n "$initdb" ]; then
  attend "$initdb" -D "$new" --username=remit --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 \\
    --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C $sync >&2 || finish "$status"
  [ -z "$over" ] || finish 71
  echo initialised
  [ "$new" = "$data" ] || read -r _ || finish 71
fi
signal=$final
attend "$postgres" -D "$data" -k "$place" "$@" >&2
finish "$status"
`;

/** The identity that Postgres runs as: it refuses to run as root. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

export interface KeeperOrders {
  readonly place: string;
  readonly scrap: string;
  /** INT: a clean stop with a checkpoint. QUIT: an immediate one, for what is thrown away. */
  readonly stopSignal: "INT" | "QUIT";
  /** Absent: the data directory holds a cluster. */
  readonly initdb?: { readonly path: string; readonly directory: string; readonly sync: boolean };
  readonly postgres: string;
  readonly data: string;
  readonly options: readonly string[];
  /** Absent: as whom we run. */
  readonly runAs?: RunAs;
}

export interface Keeper {
  readonly pid: number;
  /** Resolves when a cluster was made; never when none was asked for. */
  readonly initialised: Promise<void>;
  /** Resolves when Postgres and the keeper are gone, with what stood last in the log. Never rejects. */
  readonly ended: Promise<KeeperEnd>;
  /** Lets a keeper that made a cluster elsewhere start Postgres. */
  proceed(): void;
  /** From here on the keeper alone does not keep our process alive. */
  letGo(): void;
  /** Ends Postgres; see `ended`. */
  release(): void;
}

export interface KeeperEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of Postgres's log when it did not end well. */
  readonly lastWords: string;
}

const LAST_WORDS_CHARS_MAX = 16_384;

/** Environment for the keeper and Postgres: nothing of ours (PGDATA, PGPORT and LANG would change what Postgres does). */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin", LC_ALL: "C", TZ: "UTC" };
}

/** Starts a keeper with its orders. */
export function startKeeper(orders: KeeperOrders): Promise<Keeper> {
  const { initdb } = orders;
  const words = [
    ...[orders.place, orders.scrap, orders.stopSignal],
    ...[initdb?.path ?? "", initdb === undefined || initdb.sync ? "" : "--no-sync", initdb?.directory ?? ""],
    ...[orders.postgres, orders.data, ...orders.options],
  ];
  const child = spawn("/bin/sh", ["-c", KEEPER, "remit-postgres-keeper", ...words], {
    ...(orders.runAs ?? {}),
    cwd: "/",
    detached: true,
    env: plainEnvironment(),
    stdio: ["pipe", "pipe", "ignore", "pipe"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => {
      child.off("error", reject);
      resolve(attendKeeper(child));
    });
  });
}

function attendKeeper(child: ChildProcess): Keeper {
  const [order, said, , lifeline] = child.stdio as unknown as [Writable, Readable, null, Writable];
  let lastWords = "";
  // A killed keeper leaves its watcher with the other end of the pipe: it ends when ours is closed.
  child.once("exit", () => {
    lifeline.destroy();
    order.destroy();
  });
  const ended = new Promise<KeeperEnd>((resolve) => {
    child.once("close", (status, signal) => resolve({ status, signal, lastWords: lastWords.trim() }));
  });
  const initialised = new Promise<void>((resolve) => {
    said.setEncoding("utf8");
    said.on("data", (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS_CHARS_MAX);
      if (!lastWords.startsWith("initialised\n")) return;
      lastWords = lastWords.slice("initialised\n".length);
      resolve();
    });
  });
  // Writing to a keeper that is gone is how we learn nothing new: `ended` tells.
  for (const end of [order, lifeline]) end.on("error", () => {});
  const hold = [child, order, said, lifeline] as unknown as { ref(): void; unref(): void }[];
  return {
    pid: child.pid ?? 0,
    initialised,
    ended,
    proceed: () => void order.write("start\n"),
    letGo: () => {
      for (const held of hold) held.unref();
    },
    release: () => {
      for (const held of hold) held.ref();
      lifeline.destroy();
      order.destroy();
    },
  };
}
