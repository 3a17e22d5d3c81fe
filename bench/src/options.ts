import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { wholeNumber } from "../../.tools/asked.ts";
import { coreList } from "./option-values.ts";

export const lanes = ["unary", "stream", "json"] as const;
export type Lane = (typeof lanes)[number];
type Part = Lane | "sdk" | "h2load";
const parts: readonly Part[] = [...lanes, "sdk", "h2load"];

export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly parts: readonly Part[];
  readonly rounds: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  /** Cores of the server and its Postgres, as taskset takes them; undefined: the first alone. */
  readonly serverCores: string | undefined;
  /** Where the service leaves a CPU profile of the run; undefined: none is taken. */
  readonly profileFolder: string | undefined;
  /** The result's file; undefined: one named for the time, in bench/results. */
  readonly out: string | undefined;
}

export const help = `Usage: npm run bench -- [options]

       npm run bench -- engines     the engine beside cedar-wasm and OPA WASM; --help says more

Measures Decide, recorded before answered, against an echo of the same messages on the same lane, in one run.

  --quick            one round of one-second runs: does it work, not how fast is it
  --parts LIST       of ${parts.join(",")} (default: all)
  --rounds N         alternating rounds A B, B A, ... (default 3; with --quick 1)
  --seconds S        counted time of one run (default 2; with --quick 1)
  --server-cores L   cores of the server and its Postgres, as 0 or 0,1 (default 0; the client has the last core)
  --profile DIR      leave a CPU profile of the service there (it slows the service a little)
  --out FILE         where the JSON goes (default: bench/results/<time>.json)
  --help             this text
`;

/** The options, or what is wrong with them in one sentence. */
export function parseOptions(argv: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        help: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        parts: { type: "string" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        "server-cores": { type: "string" },
        profile: { type: "string" },
        out: { type: "string" },
      },
    });
    const chosen = values.parts === undefined ? parts : partsOf(values.parts);
    return {
      help: values.help,
      quick: values.quick,
      parts: chosen,
      rounds: wholeNumber("rounds", values.rounds ?? (values.quick ? "1" : "3"), 99),
      warmupMs: values.quick ? 500 : 700,
      durationMs: wholeNumber("seconds", values.seconds ?? (values.quick ? "1" : "2"), 600) * 1000,
      serverCores: coreList(values["server-cores"]),
      profileFolder: values.profile === undefined ? undefined : resolve(values.profile),
      out: values.out,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function partsOf(list: string): Part[] {
  return list.split(",").map((name) => {
    const part = parts.find((known) => known === name);
    if (part === undefined) throw new Error(`there is no part "${name}"; there are ${parts.join(", ")}`);
    return part;
  });
}
