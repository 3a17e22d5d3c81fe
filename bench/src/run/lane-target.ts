import type { Header } from "../http2/header-block.ts";
import type { ExchangeSpec, UnarySpec } from "../load/spec.ts";
import type { Lane } from "../options.ts";

export const decidePath = "/remit.v1.DecisionService/Decide";

export interface Credentials {
  readonly callerKey: string;
  /** Used in turn; a session has a limit of calls in flight. */
  readonly sessionTokens: readonly string[];
}

export interface Bodies {
  /** A DecideRequest in protobuf and in JSON, its call id the placeholder. */
  readonly binary: Uint8Array;
  readonly json: Uint8Array;
}

/** The same calls on each lane: whoever serves them, the client sends the same bytes. */
export function laneTarget(lane: Lane, credentials: Credentials, bodies: Bodies): UnarySpec | ExchangeSpec {
  const authorization: Header = ["authorization", `Bearer ${credentials.callerKey}`];
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  if (lane === "stream") {
    const { sessionTokens } = credentials;
    return { kind: "exchange", headers: [authorization], sessionTokens, calls: [base64(bodies.binary)] };
  }
  const body = base64(lane === "json" ? bodies.json : bodies.binary);
  const requests = credentials.sessionTokens.map((token): UnarySpec["requests"][number] => ({
    path: decidePath,
    headers: [authorization, ["remit-session", token]],
    body,
  }));
  return { kind: "unary", lane: lane === "json" ? "connect-json" : "grpc", connections: 1, requests };
}
