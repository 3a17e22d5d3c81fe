import { readTlsFiles, sameMaterial, type TlsFiles, type TlsMaterial } from "../../config/index.ts";
import { Fault } from "../../foundation/fault.ts";
import type { Log } from "../../foundation/log.ts";
import { type Connections, createConnections } from "./connections.ts";
import type { Secure } from "./secure.ts";

/**
 * The files are read so often, and compared byte for byte: unlike a watch this sees a Secret that Kubernetes swaps by
 * symbolic links, a file that is replaced or written in place, and a network's file system.
 */
const READ_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 1_000;
/** Short-lived certificates are replaced long before: one that is this near its end was forgotten. */
const SOON_MS = 10 * 60_000;

/** Holds the certificate, its key and the trust bundle, as they were last read and fit together. */
export interface TlsKeeper {
  readonly material: () => TlsMaterial;
  readonly connections: Connections;
  /** Lets a listener know of what is read later. */
  add(secure: Secure): void;
  /** Reads the files now. */
  reload(): void;
  /** What an operator should know: files that do not fit, and a certificate that runs out. */
  notes(): string[];
  /** Seconds until the service's own certificate runs out. */
  secondsLeft(): number;
  /** Whether the files, as they stand, are in force. */
  intact(): boolean;
  close(): void;
}

interface Options {
  readonly files: TlsFiles;
  readonly log: Log;
  readonly readEveryMs?: number | undefined;
}

function read(files: TlsFiles): TlsMaterial | string {
  const reading = readTlsFiles(files, Date.now());
  return reading.ok ? reading.material : reading.problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
}

/** Reads the files, or throws a Fault that names what is wrong; then reads them again and again. */
export function keepTls({ files, log, readEveryMs = READ_EVERY_MS }: Options): TlsKeeper {
  const first = read(files);
  if (typeof first === "string") {
    throw new Fault("precondition", "tls_files_unusable", first, { fix: "give a certificate and its key, in PEM" });
  }
  let material = first;
  let broken: string | undefined;
  const connections = createConnections();
  const listeners: Secure[] = [];

  const fail = (why: string) => {
    if (broken !== why) log.error({ tls: why }, "the new certificate files are not usable; the old ones stay in force");
    broken = why;
  };
  const take = (next: TlsMaterial) => {
    try {
      for (const listener of listeners) listener.use(next);
    } catch (error) {
      // All or none: whatever one listener does not take, no listener keeps.
      for (const listener of listeners) listener.use(material);
      fail((error as Error).message);
      return;
    }
    material = next;
    broken = undefined;
    const ended = connections.trust(next.anchors);
    const until = new Date(next.notAfterMs).toISOString();
    log.info({ until, connectionsEnded: ended }, "certificate files were read anew and are in force");
  };
  const reload = () => {
    const next = read(files);
    if (typeof next === "string") fail(next);
    else if (!sameMaterial(next, material)) take(next);
    else broken = undefined;
  };

  const reading = setInterval(reload, readEveryMs).unref();
  const looking = setInterval(() => connections.look(Date.now()), LOOK_EVERY_MS).unref();
  const secondsLeft = () => Math.round((material.notAfterMs - Date.now()) / 1000);
  return {
    material: () => material,
    connections,
    add: (secure) => void listeners.push(secure),
    reload,
    notes() {
      const leftMs = material.notAfterMs - Date.now();
      const until = new Date(material.notAfterMs).toISOString();
      const soon = leftMs < SOON_MS ? [`the service's certificate ${leftMs > 0 ? "runs" : "ran"} out at ${until}`] : [];
      return broken === undefined
        ? soon
        : [...soon, `the new certificate files are not usable, the old ones stay in force: ${broken}`];
    },
    secondsLeft,
    intact: () => broken === undefined,
    close() {
      clearInterval(reading);
      clearInterval(looking);
    },
  };
}
