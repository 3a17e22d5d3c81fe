import type { Risk } from "@remit/engine";
import { counted } from "../counted.ts";
import type { Paint } from "../paint.ts";
import { type Column, table } from "../table.ts";
import type { Compared } from "./compare.ts";
import type { Source } from "./offered-tool.ts";
import type { Drafted } from "./tool-document.ts";

const order: readonly Risk[] = ["destructive", "write", "unclassified", "read"];
const words = { write: "write", destructive: "destroy", unclassified: "are unclassified" } as const;
const colours = { read: "green", write: "yellow", destructive: "red", unclassified: "magenta" } as const;
const reviewedMax = 8;

/** How many tools there are of each kind, and which ones need a person first. */
export interface Summary {
  readonly tools: number;
  readonly byRisk: Readonly<Record<Risk, number>>;
  /** Tools with a warning. */
  readonly suspicious: number;
  /** The ones to look at first: those with warnings, then by what they can do. Names, at most eight. */
  readonly reviewFirst: readonly string[];
}

function isSuspicious({ guess }: Drafted): boolean {
  return guess.poison.length > 0 || guess.doubts.length > 0;
}

export function summarize(tools: readonly Drafted[]): Summary {
  const of = (risk: Risk) => tools.filter(({ guess }) => guess.risk === risk);
  const suspicious = tools.filter(isSuspicious);
  const byRisk = order.flatMap((risk) => (risk === "read" ? [] : of(risk)));
  const first = [...new Set([...suspicious, ...byRisk])];
  return {
    tools: tools.length,
    byRisk: {
      read: of("read").length,
      write: of("write").length,
      destructive: of("destructive").length,
      unclassified: of("unclassified").length,
    },
    suspicious: suspicious.length,
    reviewFirst: first.slice(0, reviewedMax).map(({ name }) => name),
  };
}

/** The table for people: the most dangerous tools first, with why. */
export function importLines(tools: readonly Drafted[], compared: Compared | undefined, paint: Paint): string[] {
  const sorted = [...tools].sort((one, other) => {
    const suspicion = Number(isSuspicious(other)) - Number(isSuspicious(one));
    return (
      suspicion || order.indexOf(one.guess.risk) - order.indexOf(other.guess.risk) || (one.name < other.name ? -1 : 1)
    );
  });
  const titles: Column[] = ["NAME", "RISK", ...(compared ? ["SINCE"] : []), "WHY"].map((title) => ({ title }));
  const rows = sorted.flatMap(({ name, guess }) => {
    const state = compared ? [compared.states.get(name) ?? ""] : [];
    const warnings = [...guess.poison, ...guess.doubts].map((warning) => paint.red(`LOOK: ${warning}`));
    const [first = "", ...more] = [...warnings, guess.why.join("; ")];
    const below = more.map((line) => ["", "", ...state.map(() => ""), line]);
    return [[name, paint[colours[guess.risk]](guess.risk), ...state, first], ...below];
  });
  const gone = (compared?.gone ?? []).map((name) => [name, "", "gone", "registered, and not offered any more"]);
  return table(titles, [...rows, ...gone]);
}

/** The answer to: which of these is safe to hand an agent? */
export function summaryLines({ tools, byRisk, suspicious, reviewFirst }: Summary, source: Source): string[] {
  if (tools === 0) return [`${source.title} offers no tools.`];
  const parts = (["write", "destructive", "unclassified"] as const)
    .filter((risk) => byRisk[risk] > 0)
    .map((risk) => `${byRisk[risk]} ${(byRisk[risk] === 1 ? singular : words)[risk]}`);
  const safe = `${byRisk.read} of ${counted(tools, "tool")} of ${source.title} only ${byRisk.read === 1 ? "reads" : "read"}`;
  const lines = [`${[safe, ...parts].join("; ")}.`];
  if (suspicious > 0) lines.push(`${counted(suspicious, "tool")} to look at before anything else: see LOOK.`);
  if (reviewFirst.length > 0) lines.push(`Review these first: ${reviewFirst.join(", ")}.`);
  lines.push("These are guesses from what the server says of itself.");
  return lines;
}

const singular = { write: "writes", destructive: "destroys", unclassified: "is unclassified" } as const;
