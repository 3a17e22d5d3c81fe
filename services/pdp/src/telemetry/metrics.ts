import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What is asked for when somebody scrapes, so that nobody has to remember to push it. */
export interface PulledMeters {
  /** How old the oldest tenant's view of policies and identities is. */
  stalenessSeconds(): number;
  /** The greatest revision in force here. */
  revision(): number;
  /** Sessions attached to streams. */
  streamHandles(): number;
  /** Tenants whose newest policies do not compile. */
  policiesBroken(): number;
  /** Tenants whose rows were found not to be what was in force, although no revision said so. */
  differences(): number;
  /** Rules in force here, of all tenants. */
  rules(): number;
  /** What is revoked and what is halted here, of all tenants. */
  revoked(): { readonly revocations: number; readonly halts: number };
  /** Until the service's own certificate runs out, where it has one. */
  readonly certificateSecondsLeft?: (() => number) | undefined;
  /** 1 while certificate files, as they stand, cannot be used, so that older ones are in force. */
  readonly certificateFilesUnusable?: (() => number) | undefined;
  /** Calls under way, of all tenants of the cell, that budgets hold something for. */
  holdsOpen(): number | Promise<number>;
  /** How the records of the cell get their places in the ledger. */
  sequencer(): Promise<{
    /** How many have one. */
    readonly size: bigint;
    /** How long the oldest one without has been waiting. */
    readonly lagSeconds: number;
    /** A record is missing, for which all others wait. */
    readonly gap: unknown;
  }>;
  /** Rows that fell outside every day's partition: should be 0. */
  defaultPartitionRows(): number | Promise<number>;
}

/** What is counted as it happens, and the page that shows it. */
export interface Metrics {
  decided(lane: string, effect: string, seconds: number): void;
  /** A decision that was only observed, by the effect that enforcement would have had. */
  observed(would: string): void;
  /** A decision that versions which are tried would make otherwise: from the effect of what is in force, to theirs. */
  candidateDiffers(from: string, to: string): void;
  reported(seconds: number): void;
  /** One group commit, from sent to acknowledged. */
  committed(seconds: number, rows: number): void;
  /** A breaker opened, or would have where it is only observed. */
  breakerTripped(kind: string, observed: boolean): void;
  /** A tenant was compiled. */
  compiled(seconds: number): void;
  /** A report that came after its time. */
  reportedLate(): void;
  /** A hold was ended because its time was over. */
  holdExpired(): void;
  /** A request that was turned away because of load. */
  shed(rpc: string): void;
  /** A request to the admin plane of nobody that is known, by the reason it was refused for. */
  adminStranger(reason: string): void;
  /** A connection was turned away before anything was asked on it. */
  turnedAway(why: string): void;
  /** Another replica was shut out by this one. */
  replicaFenced(): void;
  /** The Prometheus exposition, and its content type. */
  page(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions {
  readonly pull: PulledMeters;
  /** Also CPU, memory, event loop and garbage collection of this process. */
  readonly process?: boolean;
}

// A decision is expected within 3 ms, so that is where the buckets are narrow.
const LATENCY_BUCKETS_SECONDS = [
  0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];
const COMPILE_BUCKETS_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 5, 25, 120];
const BATCH_BUCKETS_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

function pulled(registry: Registry, name: string, help: string, read: () => number | Promise<number>): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      this.set(await read());
    },
  });
}

/** Three figures of one look at the store. */
function pullSequencer(registry: Registry, read: PulledMeters["sequencer"]): void {
  let under: ReturnType<typeof read> | undefined;
  const look = () => {
    under ??= read().finally(() => {
      under = undefined;
    });
    return under;
  };
  const size = "Records that have a place in the ledger, of the whole cell.";
  pulled(registry, "remit_ledger_size", size, async () => Number((await look()).size));
  const lag = "Age of the oldest record that has no place in the ledger yet.";
  pulled(registry, "remit_sequencer_lag_seconds", lag, async () => (await look()).lagSeconds);
  const stopped = "1 while a record of the ledger is missing, so that no other gets a place; should be 0.";
  pulled(registry, "remit_sequencer_stopped", stopped, async () => ((await look()).gap === undefined ? 0 : 1));
}

function pullAll(registry: Registry, pull: PulledMeters): void {
  pullSequencer(registry, pull.sequencer);
  pulled(registry, "remit_staleness_seconds", "Age of the view of policies and identities.", pull.stalenessSeconds);
  pulled(registry, "remit_revision", "Greatest revision in force here.", pull.revision);
  pulled(registry, "remit_stream_handles", "Sessions attached to streams.", pull.streamHandles);
  pulled(registry, "remit_holds_open", "Calls that budgets hold something for, in the whole cell.", pull.holdsOpen);
  pulled(
    registry,
    "remit_default_partition_rows",
    "Rows outside every day's partition; should be 0.",
    pull.defaultPartitionRows,
  );
  pulled(
    registry,
    "remit_policies_broken",
    "Tenants whose newest policies do not compile; should be 0.",
    pull.policiesBroken,
  );
  const { certificateSecondsLeft, certificateFilesUnusable } = pull;
  if (certificateSecondsLeft) {
    const help = "Seconds until the service's own certificate runs out.";
    pulled(registry, "remit_certificate_seconds_left", help, certificateSecondsLeft);
  }
  if (certificateFilesUnusable) {
    const help = "1 while certificate files as they stand cannot be used, so that older ones are in force.";
    pulled(registry, "remit_certificate_files_unusable", help, certificateFilesUnusable);
  }
  pulled(registry, "remit_revocations", "Living revocations known here.", () => pull.revoked().revocations);
  pulled(registry, "remit_halts", "Living halts known here.", () => pull.revoked().halts);
  const differences = "Tenants whose rows changed without a revision, found since the start; should be 0.";
  pulled(registry, "remit_differences", differences, pull.differences);
  pulled(registry, "remit_rules", "Rules in force here, of all tenants.", pull.rules);
}

function latency<Label extends string>(registry: Registry, name: string, help: string, labelNames: Label[]) {
  return new Histogram({ name, help, labelNames, buckets: LATENCY_BUCKETS_SECONDS, registers: [registry] });
}

function counter<Label extends string>(registry: Registry, name: string, help: string, labelNames: Label[]) {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

/** Observes decisions by their labels, which are looked up once a pair: prom-client makes a name of them each time. */
function timeLabelled(decide: Histogram<"lane" | "effect">): Metrics["decided"] {
  const lanes = new Map<string, Map<string, ReturnType<typeof decide.labels>>>();
  const add = (lane: string, effect: string) => {
    const effects = lanes.get(lane) ?? new Map<string, ReturnType<typeof decide.labels>>();
    const one = decide.labels({ lane, effect });
    lanes.set(lane, effects.set(effect, one));
    return one;
  };
  return (lane, effect, seconds) => (lanes.get(lane)?.get(effect) ?? add(lane, effect)).observe(seconds);
}

/** What happens now and then. */
function rareCounters(registry: Registry) {
  return {
    fenced: counter(registry, "remit_replica_fenced_total", "Replicas that this one has declared dead.", []),
    late: counter(registry, "remit_reports_late_total", "Reports that came after their time.", []),
    expired: counter(registry, "remit_holds_expired_total", "Holds that nobody ended in time.", []),
    trips: counter(registry, "remit_breaker_trips_total", "Breakers that opened.", ["kind", "mode"]),
  };
}

/** A registry of this service's own: two services in one process do not share meters. */
export function createMetrics({ pull, process = false }: MetricsOptions): Metrics {
  const registry = new Registry();
  if (process) collectDefaultMetrics({ register: registry });
  const decide = latency(registry, "remit_decide_seconds", "Decide, from its arrival to its answer.", [
    "lane",
    "effect",
  ]);
  const differs = counter(
    registry,
    "remit_candidate_differs_total",
    "Decisions that versions which are tried would make otherwise, by the effect of what is in force and by theirs.",
    ["from", "to"],
  );
  const observed = counter(
    registry,
    "remit_observed_total",
    "Decisions that were only observed, by the effect that enforcement would have had.",
    ["would"],
  );
  const report = latency(registry, "remit_report_seconds", "Report, from its arrival to its answer.", []);
  const commit = latency(registry, "remit_commit_seconds", "One group commit, from sent to acknowledged.", []);
  const batch = new Histogram({
    name: "remit_batch_rows",
    help: "Records in one group commit.",
    buckets: BATCH_BUCKETS_ROWS,
    registers: [registry],
  });
  const compile = new Histogram({
    name: "remit_compile_seconds",
    help: "Compiling one tenant's policies and tools, in slices between which decisions go on.",
    buckets: COMPILE_BUCKETS_SECONDS,
    registers: [registry],
  });
  const shed = counter(registry, "remit_shed_total", "Requests turned away because of load.", ["rpc"]);
  const strangers = counter(
    registry,
    "remit_admin_strangers_total",
    "Requests to the admin plane of nobody that is known: there is no tenant whose ledger could tell of them.",
    ["reason"],
  );
  const turnedAway = "Connections turned away before anything was asked on them, by why.";
  const turned = counter(registry, "remit_connections_turned_away_total", turnedAway, ["why"]);
  const { fenced, late, expired, trips } = rareCounters(registry);
  pullAll(registry, pull);

  return {
    decided: timeLabelled(decide),
    observed: (would) => observed.inc({ would }),
    candidateDiffers: (from, to) => differs.inc({ from, to }),
    reported: (seconds) => report.observe(seconds),
    committed: (seconds, rows) => {
      commit.observe(seconds);
      batch.observe(rows);
    },
    breakerTripped: (kind, observed) => trips.inc({ kind, mode: observed ? "observed" : "enforced" }),
    compiled: (seconds) => compile.observe(seconds),
    reportedLate: () => late.inc(),
    holdExpired: () => expired.inc(),
    shed: (rpc) => shed.inc({ rpc }),
    adminStranger: (reason) => strangers.inc({ reason }),
    turnedAway: (why) => turned.inc({ why }),
    replicaFenced: () => fenced.inc(),
    page: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
