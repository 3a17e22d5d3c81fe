import type { NewRecord } from "../ledger/index.ts";
import { createLanes, type Lane, type LanesOptions } from "./lane.ts";
import { readTaken, takenQuery } from "./stored-record.ts";
import { fence, insertWriter } from "./writer-row.ts";

/** A writer whose transactions have several statements. */
export interface SlowWriter {
  readonly lane: Lane;
  readonly epoch: bigint;
  /** The greatest number given. */
  base: bigint;
}

/** One slow writer after another. */
export interface SlowWriters {
  /** The living one, or a new one once the last was shut out. */
  open(): Promise<SlowWriter>;
  giveUp(writer: SlowWriter, cause: unknown): void;
  /** Whether a record of a writer that was given up was recorded: it is shut out first. */
  wasRecorded(record: NewRecord): Promise<boolean>;
  close(): Promise<void>;
}

export function createSlowWriters(options: LanesOptions & { readonly replica: string }): SlowWriters {
  const lanes = createLanes(options);
  let current: SlowWriter | null = null;
  let unfenced: bigint | null = null;

  const fenceLast = async (): Promise<void> => {
    const epoch = unfenced;
    if (epoch === null) return;
    await lanes.once("remit-fence", (client) => fence(client, epoch));
    unfenced = null;
  };
  const giveUp = (writer: SlowWriter, cause: unknown) => {
    writer.lane.destroy(cause as Error);
    if (current !== writer) return;
    current = null;
    unfenced = writer.epoch;
  };
  const open = async (): Promise<SlowWriter> => {
    if (current && !current.lane.gone()) return current;
    if (current) giveUp(current, new Error("the connection broke"));
    await fenceLast();
    const lane = await lanes.open("remit-changes");
    try {
      const epoch = await lane.within((client) => insertWriter(client, options.replica));
      current = { lane, epoch, base: 0n };
      return current;
    } catch (error) {
      lane.destroy(error as Error);
      throw error;
    }
  };

  return {
    open,
    giveUp,
    wasRecorded: async (record) => {
      await fenceLast();
      const query = takenQuery([record]);
      const { rows } = await lanes.once("remit-look-up", (client) => client.query(query));
      return readTaken([record], rows)[0]?.outcome === "inserted";
    },
    close: async () => current?.lane.close(),
  };
}
