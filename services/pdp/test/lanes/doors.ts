import {
  create,
  fromBinary,
  fromJson,
  type JsonObject,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { type ErrorDetail, ErrorDetailSchema } from "@remit/proto/common";
import {
  DecideRequestSchema,
  type DecideResponse,
  DecideResponseSchema,
  DecisionService,
  ExchangeRequestSchema,
  type ExchangeResponse,
  ExchangeResponseSchema,
} from "@remit/proto/decision";
import { StatusSchema } from "@remit/proto/status";
import { hostPort } from "../../src/foundation/address.ts";
import type { House } from "./house.ts";

/** An error as a client of any door sees it. */
export class DoorError extends Error {
  readonly code: number;
  readonly detail: ErrorDetail | undefined;
  constructor(code: number, message: string, detail: ErrorDetail | undefined) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

type Ask = MessageInitShape<typeof DecideRequestSchema>;
type Frame = MessageInitShape<typeof ExchangeRequestSchema>;

export interface Door {
  readonly name: string;
  readonly lane: "grpc" | "connect";
  decide(request: Ask, asking?: Asking): Promise<DecideResponse>;
  /** Sends these bytes as the request's message. */
  decideRaw(bytes: Uint8Array): Promise<DecideResponse>;
  exchange?(asking?: Asking): Wire;
  close(): void;
}

/** One stream as a client holds it. */
export interface Wire {
  send(frame: Frame): void;
  sendRaw?(bytes: Uint8Array): void;
  halfClose(): void;
  /** The next message; undefined at a good end; throws a `DoorError`. */
  next(): Promise<ExchangeResponse | undefined>;
  cancel(): void;
}

/** A list that is written on one side and awaited on the other. */
function createPipe<Item>() {
  const items: Item[] = [];
  let over: { error: unknown } | undefined;
  let wake = () => {};
  return {
    put(item: Item) {
      items.push(item);
      wake();
    },
    end(error?: unknown) {
      over ??= { error };
      wake();
    },
    async next(): Promise<Item | undefined> {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) return item;
        if (over?.error !== undefined) throw over.error;
        if (over) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function fromGrpcError(error: ServiceError): DoorError {
  const [packed] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const status = packed === undefined ? undefined : fromBinary(StatusSchema, packed as Buffer);
  const any = status?.details[0];
  return new DoorError(
    error.code,
    error.details,
    any === undefined ? undefined : fromBinary(ErrorDetailSchema, any.value),
  );
}

function metadataOf(asking: Asking | undefined): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(asking?.headers ?? {})) metadata.set(name, value);
  return metadata;
}

const optionsOf = (asking: Asking | undefined) =>
  asking?.timeoutMs === undefined ? {} : { deadline: Date.now() + asking.timeoutMs };

export function grpcDoor(house: House): Door & { readonly client: Client } {
  const client = new Client(hostPort(house.grpc), credentials.createInsecure(), {
    "grpc.max_send_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
  });
  const raw = (bytes: Uint8Array, asking?: Asking) =>
    new Promise<DecideResponse>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        "/remit.v1.DecisionService/Decide",
        (value: Uint8Array) => Buffer.from(value),
        (value) => fromBinary(DecideResponseSchema, value),
        bytes,
        metadataOf(asking),
        optionsOf(asking),
        (error, response) => (error ? reject(fromGrpcError(error)) : resolve(response as DecideResponse)),
      );
      asking?.signal?.addEventListener("abort", () => call.cancel());
    });
  return {
    name: "gRPC",
    lane: "grpc",
    client,
    decide: (request, asking) => raw(toBinary(DecideRequestSchema, create(DecideRequestSchema, request)), asking),
    decideRaw: (bytes) => raw(bytes),
    exchange(asking) {
      const call = client.makeBidiStreamRequest(
        "/remit.v1.DecisionService/Exchange",
        (value: Uint8Array) => Buffer.from(value),
        (value) => fromBinary(ExchangeResponseSchema, value),
        metadataOf(asking),
        optionsOf(asking),
      );
      const pipe = createPipe<ExchangeResponse>();
      let reading = false;
      const read = () => {
        if (reading) return;
        reading = true;
        call.on("data", (message: ExchangeResponse) => pipe.put(message));
      };
      call.on("error", (error: ServiceError) => pipe.end(fromGrpcError(error)));
      call.on("end", () => pipe.end());
      return {
        send: (frame) => void call.write(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, frame))),
        sendRaw: (bytes) => void call.write(bytes),
        halfClose: () => call.end(),
        next() {
          read();
          return pipe.next();
        },
        cancel: () => call.cancel(),
      };
    },
    close: () => client.close(),
  };
}

function fromConnectError(error: unknown): DoorError {
  const failed = ConnectError.from(error);
  return new DoorError(failed.code, failed.rawMessage, failed.findDetails(ErrorDetailSchema)[0]);
}

function connectDoor(name: string, transport: Transport, streams: boolean): Door {
  const client = createClient(DecisionService, transport);
  const closing = new AbortController();
  const options = ({ headers, timeoutMs, signal }: Asking = {}) => ({
    ...(headers && { headers }),
    ...(timeoutMs && { timeoutMs }),
    signal: signal ? AbortSignal.any([signal, closing.signal]) : closing.signal,
  });
  const exchange = (asking?: Asking): Wire => {
    const up = createPipe<Frame>();
    const down = new AbortController();
    async function* frames() {
      for (let frame = await up.next(); frame !== undefined; frame = await up.next()) yield frame;
    }
    const signal = AbortSignal.any([down.signal, closing.signal]);
    const answers = client.exchange(frames(), options({ ...asking, signal }))[Symbol.asyncIterator]();
    return {
      send: up.put,
      halfClose: () => up.end(),
      async next() {
        try {
          const { done, value } = await answers.next();
          return done ? undefined : value;
        } catch (error) {
          throw fromConnectError(error);
        }
      },
      cancel: () => down.abort(),
    };
  };
  return {
    name,
    lane: "connect",
    decide: (request, asking) =>
      client.decide(request, options(asking)).catch((error) => Promise.reject(fromConnectError(error))),
    decideRaw: () => Promise.reject(new Error("this client sends no raw bytes")),
    ...(streams && { exchange }),
    close: () => closing.abort(),
  };
}

const baseUrl = (house: House) => `http://${hostPort(house.http)}`;
export const connectH2 = (house: House) =>
  connectDoor("Connect over HTTP/2", createConnectTransport({ baseUrl: baseUrl(house), httpVersion: "2" }), true);
export const grpcOverConnect = (house: House) =>
  connectDoor("gRPC on the Connect port", createGrpcTransport({ baseUrl: baseUrl(house) }), true);
export const grpcWeb = (house: House) =>
  connectDoor("gRPC-Web", createGrpcWebTransport({ baseUrl: baseUrl(house), httpVersion: "1.1" }), false);

// The names Connect gives to the canonical codes.
const codeNames = [
  "ok",
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];

export interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { readonly type: string; readonly debug: JsonObject }[];
}

/** What curl sends: one POST with JSON, over HTTP/1.1. */
export function curl(
  house: House,
  body: string | Uint8Array<ArrayBuffer>,
  { headers, timeoutMs, signal }: Asking = {},
) {
  return fetch(`${baseUrl(house)}/remit.v1.DecisionService/Decide`, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      ...(timeoutMs !== undefined && { "connect-timeout-ms": String(timeoutMs) }),
      ...headers,
    },
    ...(signal && { signal }),
  });
}

async function readCurl(response: Response): Promise<DecideResponse> {
  const json = (await response.json()) as JsonObject;
  if (response.ok) return fromJson(DecideResponseSchema, json);
  const { code, message, details } = json as unknown as ErrorJson;
  const debug = details?.[0]?.debug;
  throw new DoorError(codeNames.indexOf(code), message, debug && fromJson(ErrorDetailSchema, debug));
}

export const jsonDoor = (house: House): Door => ({
  name: "JSON over HTTP/1.1",
  lane: "connect",
  decide: async (request, asking) =>
    readCurl(
      await curl(house, JSON.stringify(toJson(DecideRequestSchema, create(DecideRequestSchema, request))), asking),
    ),
  decideRaw: async (bytes) =>
    readCurl(await curl(house, new Uint8Array(bytes), { headers: { "content-type": "application/proto" } })),
  close: () => {},
});
