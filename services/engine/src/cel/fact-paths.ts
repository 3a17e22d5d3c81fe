import { parseTimestampNs } from "../instant.ts";
import { estimateFact } from "./amount-facts.ts";
import type { Frame, Run } from "./frame.ts";
import type { StaticType } from "./node.ts";
import { Duration, Failure, type Outcome, Timestamp } from "./value.ts";

interface FactField {
  readonly type: StaticType;
  readonly read: Run;
}

/** Facts whose keys are the tool's or the caller's business. */
const openRoots: Readonly<Record<string, Run>> = {
  input: (frame) => frame.input,
  context: (frame) => frame.facts.context,
  answers: (frame) => frame.answers,
};

const int = (path: string, read: (frame: Frame) => number | undefined): FactField => {
  const missing = new Failure("missing", `${path} is missing`);
  return {
    type: "int",
    read: (frame) => {
      const value = read(frame);
      if (value === undefined) return missing;
      return Number.isSafeInteger(value) ? BigInt(value) : notWhole;
    },
  };
};
const text = (read: Run): FactField => ({ type: "string", read });
const labels = (read: Run): FactField => ({ type: "map", read });

const notWhole = new Failure("type", "a count that is no whole number");
const noAge = new Failure("type", "session.age is not a number of seconds");
const noServer = new Failure("missing", "tool.server is missing");

/** The frozen schema of the other facts: what is not listed here does not exist. */
const fixedRoots: Readonly<Record<string, Readonly<Record<string, FactField>>>> = {
  call: {
    tool: text((frame) => frame.facts.call.tool),
    estimate: { type: "map", read: estimateFact },
    attempt: int("call.attempt", (frame) => frame.facts.call.attempt),
  },
  tool: {
    name: text((frame) => frame.tool.name),
    server: text((frame) => frame.tool.server ?? noServer),
    risk: text((frame) => frame.tool.risk),
    labels: labels((frame) => frame.tool.labels),
  },
  agent: {
    id: text((frame) => frame.facts.agent.id),
    labels: labels((frame) => frame.facts.agent.labels),
    owner: text((frame) => frame.facts.agent.owner),
    score: int("agent.score", (frame) => frame.facts.agent.score),
  },
  principal: {
    id: text((frame) => frame.facts.principal.id),
    verified: { type: "bool", read: (frame) => frame.facts.principal.verified },
    labels: labels((frame) => frame.facts.principal.labels),
  },
  session: {
    id: text((frame) => frame.facts.session.id),
    labels: labels((frame) => frame.facts.session.labels),
    depth: int("session.depth", (frame) => frame.facts.session.depth),
    purpose: text((frame) => frame.facts.session.purpose),
    age: {
      type: "duration",
      read: (frame) => {
        const { ageSeconds } = frame.facts.session;
        return Number.isFinite(ageSeconds) ? new Duration(BigInt(Math.trunc(ageSeconds * 1000)) * 1_000_000n) : noAge;
      },
    },
    calls: int("session.calls", (frame) => frame.facts.session.calls),
  },
  caller: {
    id: text((frame) => frame.facts.caller.id),
    name: text((frame) => frame.facts.caller.name),
  },
};

const noTime = new Failure("error", "now is not an RFC 3339 timestamp");

export const now: FactField = {
  type: "timestamp",
  read: ({ now: time }): Outcome => {
    if (time.value === undefined) {
      const ns = parseTimestampNs(time.text);
      time.value = ns === undefined ? noTime : new Timestamp(ns);
    }
    return time.value;
  },
};

/** The fields of a fact such as `session`; undefined if there is no such fact. */
export function fieldsOf(root: string): Readonly<Record<string, FactField>> | undefined {
  return Object.hasOwn(fixedRoots, root) ? fixedRoots[root] : undefined;
}

export function openRoot(name: string): Run | undefined {
  return Object.hasOwn(openRoots, name) ? openRoots[name] : undefined;
}

/** Everything a condition may begin with, variables aside. */
export const rootNames: readonly string[] = [
  ...Object.keys(openRoots),
  ...Object.keys(fixedRoots),
  "budget",
  "now",
  "vars",
];

const javaScriptTypes: Partial<Record<StaticType, string>> = { string: "string", bool: "boolean", map: "object" };

/** A fact that was left out, or is of another type than declared, is unknown. */
export function guarded(field: FactField, path: string): Run {
  const expected = javaScriptTypes[field.type];
  if (expected === undefined) return field.read;
  const missing = new Failure("missing", `${path} is missing`);
  const wrongType = new Failure("type", `${path} is not ${field.type === "map" ? "a map" : `a ${field.type}`}`);
  const { read } = field;
  return (frame) => {
    const value = read(frame) ?? missing;
    return typeof value === expected || value instanceof Failure ? value : wrongType;
  };
}
