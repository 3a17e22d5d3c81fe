import type { Maker } from "../decisions/index.ts";
import type { Caller, Credentials } from "../identities/index.ts";

/** A caller of the admin plane, at one RPC: what it changes names that RPC. */
export type Actor = Caller & Required<Pick<Maker, "asked">>;

/** What an RPC knows of its transport: nothing but this. */
export interface Call extends Credentials {
  /** The `remit-session` header: the session's token, on unary calls. */
  readonly sessionToken: string | undefined;
  /** The W3C `traceparent` header. */
  readonly traceparent: string | undefined;
  /** When the caller gives up, milliseconds since 1970; undefined when it did not say. */
  readonly deadlineMs: number | undefined;
  /** Aborted when the caller hangs up and at its deadline; on a stream also once it has ended. */
  readonly signal: AbortSignal;
  readonly lane: "grpc" | "connect";
  /** On the admin plane: who calls, whom the RPC is granted to. */
  readonly actor?: Actor;
}

/** An RPC of one request and one response. Throws a `Fault`; the lane turns it into a status. */
export type Unary<Request, Response> = (request: Request, call: Call) => Promise<Response>;

/** The way back to the peer of a stream. */
export interface Outgoing<Message> {
  /** False when the peer reads too slowly: the caller of `send` should stop producing until it drains. */
  send(message: Message): boolean;
  /** Ends the stream, with an error's status if one is given. Later sends are dropped. */
  end(error?: unknown): void;
}

/** What a stream hands to its peer's messages. */
export interface Incoming<Message> {
  receive(message: Message): void;
  /** The peer half-closed, hung up or was cut; nothing more comes. Called once. The call's signal tells a hang-up later. */
  closed(): void;
  /** The server stops soon: tell the peer, finish what is in flight, end the stream. What is open later is cut. */
  draining?(): void;
}

/** An RPC of many messages both ways. A lane calls it once a stream; callbacks, since iterators cost the hot path. */
export type Duplex<Request, Response> = (call: Call, out: Outgoing<Response>) => Incoming<Request>;
