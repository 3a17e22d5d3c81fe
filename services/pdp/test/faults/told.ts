import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { credentials, Client as GrpcClient, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { Effect } from "@remit/proto/common";
import { DecideRequestSchema, type DecideResponse, DecideResponseSchema } from "@remit/proto/decision";
import type { Member } from "./fleet.ts";
import type { Told } from "./obeyed.ts";
import { type Bar, type Change, sumOf, TOOLS, type Tool } from "./timeline.ts";

/** A session that is asked in, and what would end it or narrow it. */
export interface Asking {
  readonly sessionId: string;
  readonly metadata: Metadata;
  readonly against: (tool: Tool) => readonly Bar[];
}

export const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

export const metadataOf = (key: string, token: string): Metadata =>
  Metadata.fromHttp2Headers({ authorization: `Bearer ${key}`, "remit-session": token });

const CHANNEL = { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 200 };
const PATH = "/remit.v1.DecisionService/Decide";
const TIMEOUT_MS = 1_000;
const ASKED_AGAIN = 0.15;
const NAMES_A_REVISION = 0.3;
/** The connection that a member polls on. */
export const POLLS = "remit-feed";

type Ask = (callId: string, tool: Tool, minRevision: bigint, session: Metadata) => Promise<DecideResponse>;

function askOf({ grpcAddress }: Member): Ask {
  const client = new GrpcClient(grpcAddress, credentials.createInsecure(), CHANNEL);
  const deserialise = (bytes: Buffer) => fromBinary(DecideResponseSchema, bytes);
  return (callId, tool, minRevision, session) => {
    const { promise, resolve, reject } = Promise.withResolvers<DecideResponse>();
    const input = { case: "inputJson", value: Buffer.from("{}") } as const;
    const request = create(DecideRequestSchema, { callId, tool, minRevision, input });
    const serialise = () => Buffer.from(toBinary(DecideRequestSchema, request));
    const done = (error: Error | null, answer?: DecideResponse) => (answer ? resolve(answer) : reject(error));
    client.makeUnaryRequest(PATH, serialise, deserialise, null, session, { deadline: Date.now() + TIMEOUT_MS }, done);
    return promise;
  };
}

/** Callers who ask on while things change, and what they were told. */
export interface Questions {
  readonly told: readonly Told[];
  readonly errors: ReadonlyMap<string, number>;
  readonly wrong: readonly string[];
  /** Answers of a member so far. */
  answered(member: number): number;
  stop(): Promise<void>;
}

interface Options {
  readonly members: readonly Member[];
  readonly sessions: readonly Asking[];
  readonly random: () => number;
  readonly callers: number;
  /** Changes that were acknowledged so far, and how many were asked for. */
  readonly changes: readonly Change[];
  readonly begun: () => number;
}

/** Asks in any session, at any member: a call until it is answered, and now and then again. */
export function startQuestions({ members, sessions, random, callers, changes, begun }: Options): Questions {
  const asks = members.map(askOf);
  const told: Told[] = [];
  const errors = new Map<string, number>();
  const wrong: string[] = [];
  const answered = members.map(() => 0);
  const highest = members.map(() => 0n);
  let [made, over] = [0, false];
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;

  const askOnce = async (callId: string, tool: Tool, { metadata, against }: Asking): Promise<boolean> => {
    const member = Math.floor(random() * members.length);
    const last = changes.at(-1);
    const minRevision = last && random() < NAMES_A_REVISION ? sumOf(last) : 0n;
    const asked = {
      ...{ member, tool, against: against(tool), minRevision, acknowledged: changes.length },
      ...{ floor: highest[member] ?? 0n, polls: members[member]?.proxy.answered(POLLS) ?? 0 },
    };
    try {
      const answer = await asks[member]?.(callId, tool, minRevision, metadata);
      if (!answer) return false;
      const { decisionId, record, replayed, revision } = answer;
      answered[member] = (answered[member] ?? 0) + 1;
      if (!replayed && revision > (highest[member] ?? 0n)) highest[member] = revision;
      told.push({
        ...asked,
        ...{ decisionId, epoch: record?.epoch ?? 0n, n: record?.n ?? 0n, replayed, revision },
        ...{ allowed: answer.effect === Effect.ALLOW, rules: answer.rules.map(({ rule }) => rule) },
        ...{ digest: answer.policyDigest, begun: begun() },
      });
      return true;
    } catch (error) {
      const { code, details } = error as ServiceError;
      const name = status[code] ?? String(error);
      errors.set(name, (errors.get(name) ?? 0) + 1);
      if (code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED) wrong.push(`${callId}: ${name} ${details}`);
      return code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED;
    }
  };
  const caller = async (): Promise<void> => {
    while (!over) {
      const [session, tool, callId] = [pick(sessions), pick(TOOLS), `call-${++made}`];
      const once = async () => {
        while (!(await askOnce(callId, tool, session)));
      };
      await once();
      if (random() < ASKED_AGAIN) await once();
    }
  };
  const all = Array.from({ length: callers }, caller);
  return {
    ...{ told, errors, wrong, answered: (member) => answered[member] ?? 0 },
    stop: async () => {
      over = true;
      await Promise.all(all);
    },
  };
}
