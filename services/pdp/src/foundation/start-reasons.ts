/** Why a service does not start, or a command of the owner's does not run. docs/codes.md is written from this page. */
export const startReasons = {
  address_unavailable: "A listener's address is taken, or is none of this machine.",
  cell_changed: "This is another Postgres than the one that the cell was started on, or an older state of it.",
  cell_unclaimed: "Nobody has started on this database yet.",
  data_dir_ending: "What is left of a Postgres that was killed still uses the data directory.",
  data_dir_in_use: "Another process uses the data directory.",
  data_dir_starting: "Another Postgres is just starting on the data directory.",
  data_dir_unusable: "The data directory cannot be used.",
  embedded_failed: "The embedded Postgres did not start.",
  embedded_unavailable: "There is no embedded Postgres for this machine.",
  key_encryption_key_unknown: "Keys in the store are wrapped by a key that the environment does not hold.",
  key_file_damaged: "The file of the key-encryption key does not hold one.",
  migration_failed: "A migration failed; what it did was undone.",
  not_the_owner: "The command needs the owner role of the database.",
  port_in_use: "The port for the embedded Postgres is taken.",
  postgres_too_old: "The Postgres is older than the oldest that is supported.",
  replica_alive: "A replica still works on the database.",
  schema_unfit: "The schema of the database is older or newer than this build can work with.",
  store_not_durable: "The Postgres may lose what it has confirmed.",
  tls_files_unusable: "The certificate of the service, its key or the trust bundle cannot be used.",
  store_read_only: "The Postgres is a standby.",
} as const;

export type StartReason = keyof typeof startReasons;
