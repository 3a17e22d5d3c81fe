/** The port that a Unix socket is named after. */
export const SOCKET_PORT = 5432;

const ALWAYS = {
  unix_socket_permissions: "0700",
  timezone: "UTC",
  log_timezone: "UTC",
  // Statements that fail are the caller's to log; this log is for what Postgres itself has to say.
  log_min_messages: "log",
  log_checkpoints: "off",
  log_autovacuum_min_duration: "-1",
  max_connections: "200",
  jit: "off",
  io_method: "sync",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  checkpoint_timeout: "15min",
};
const DURABLE = {
  synchronous_commit: "on",
  fsync: "on",
  min_wal_size: "256MB",
  max_wal_size: "2GB",
  // Filling a new segment of the log with zeros stops every commit for some 50 ms; until the first checkpoint has left
  // segments to use again, that was every three seconds at 2,000 records a second. A commit syncs its log either way.
  wal_init_zero: "off",
};
const THROW_AWAY = {
  synchronous_commit: "off",
  fsync: "off",
  full_page_writes: "off",
  min_wal_size: "32MB",
  max_wal_size: "256MB",
};

/** What an embedded Postgres is started with, as arguments. `tcpPort` undefined: its Unix socket alone. */
export function postgresOptions(options: { readonly durable: boolean; readonly tcpPort?: number }): string[] {
  const settings = {
    ...ALWAYS,
    ...(options.durable ? DURABLE : THROW_AWAY),
    listen_addresses: options.tcpPort === undefined ? "" : "127.0.0.1",
    port: String(options.tcpPort ?? SOCKET_PORT),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
