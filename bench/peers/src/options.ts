import { parseArgs } from "node:util";
import { wholeNumber } from "../../../.tools/asked.ts";
import { coreList } from "../../src/option-values.ts";
import type { AuditBackend } from "./cerbos.ts";

export interface PeerOptions {
  readonly help: boolean;
  /** How often the set is repeated under suffixed names. */
  readonly copies: number;
  readonly rounds: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  readonly audit: AuditBackend;
  /** Cores of the servers, as taskset takes them; undefined: the first alone. */
  readonly serverCores: string | undefined;
  readonly out: string | undefined;
}

export const help = `Usage: npm run bench:peers -- [options]

Remit and Cerbos on the same rules (W1), the same core and the same load; only if both answer every request alike.

  --copies N         how often the set is repeated under other names: 100 (default), 1000, 5000
  --quick            one round of one-second runs
  --rounds N         alternating rounds (default 3; with --quick 1)
  --seconds S        counted time of one run (default 2; with --quick 1)
  --audit BACKEND    Cerbos's audit log: local (default, its faster one) or file
  --server-cores L   cores of either server, as 0 or 0,1 (default 0; the client has the last core)
  --out FILE         where the JSON goes (default: bench/results/<time>.json)
  --help             this text
`;

/** The options, or what is wrong with them in one sentence. */
export function parsePeerOptions(argv: readonly string[]): PeerOptions | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        help: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        copies: { type: "string", default: "100" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        audit: { type: "string", default: "local" },
        "server-cores": { type: "string" },
        out: { type: "string" },
      },
    });
    const audit = (["local", "file"] as const).find((name) => name === values.audit);
    if (audit === undefined) return `--audit takes local or file, not "${values.audit}"`;
    return {
      help: values.help,
      copies: wholeNumber("copies", values.copies, 5_000),
      rounds: wholeNumber("rounds", values.rounds ?? (values.quick ? "1" : "3"), 99),
      warmupMs: values.quick ? 500 : 700,
      durationMs: wholeNumber("seconds", values.seconds ?? (values.quick ? "1" : "2"), 600) * 1000,
      audit,
      serverCores: coreList(values["server-cores"]),
      out: values.out,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
