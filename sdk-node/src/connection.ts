import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { DecisionService } from "@remit/proto/decision";
import type { Credential } from "./credential.ts";
import type { Settings } from "./options.ts";
import { fromServiceError, isCallerRefused, unreadable } from "./rpc-error.ts";

/** What goes with one unary request. */
export interface UnaryOptions {
  /** The session's token. */
  readonly token?: string | undefined;
  /** How long this try may take, milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** One TCP connection to Remit. */
export interface Connection {
  readonly address: string;
  /** Rejects with a `RemitError`. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: UnaryOptions,
  ): Promise<MessageShape<O>>;
  /** The raw `Exchange` stream, encoded messages both ways, and the header of the credential that it went with. */
  exchange(): {
    readonly stream: ClientDuplexStream<Uint8Array, Uint8Array>;
    header(): string | undefined;
  };
  /** Closes the connection once its calls are answered. */
  retire(): void;
}

const messageBytesMax = 4 * 1024 * 1024;

function bytes(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

// A name with several records: each connection tries them in an order of its own, so that a fleet spreads over them.
const serviceConfig = JSON.stringify({ loadBalancingConfig: [{ pick_first: { shuffleAddressList: true } }] });

function open(settings: Settings, address: string): Client {
  const { credentials, options } = settings.dialling(address);
  return new Client(address, credentials, {
    ...options,
    // Two clients of one process must not share a connection: the second is there for when the first is stuck.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2_000,
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_receive_message_length": messageBytesMax,
    // The SDK asks again itself, with the same call id, under one deadline.
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.service_config": serviceConfig,
    // Replicas that were replaced have other records: a name is looked up again soon after a connection was lost.
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
    "grpc.enable_http_proxy": settings.loopback ? 0 : 1,
  });
}

/** What a call went with. */
interface Went {
  header?: string;
}

/** Puts the header of the credential on a call, once there is one, and notes which it was. */
function saysWhoCalls(credential: Credential, went: Went): Interceptor {
  return (options, nextCall) => {
    const call = new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        const go = (header: string | undefined): void => {
          if (header !== undefined) {
            went.header = header;
            metadata.set("authorization", header);
          }
          next(metadata, listener);
        };
        const header = credential.header();
        if (typeof header !== "object") return go(header);
        header.then(go, (error: Error) => {
          next(metadata, listener);
          call.cancelWithStatus(status.UNAVAILABLE, error.message);
        });
      },
    });
    return call;
  };
}

function metadataWith(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("remit-session", token);
  return metadata;
}

/** A call whose header is noted where it is told to. */
type Once = (went: Went) => Connection["unary"];

/** The same call, made once more when the token that it went with was refused and there is another. */
function byAnother(credential: Credential, once: Once): Connection["unary"] {
  return async (method, request, options) => {
    const went: Went = {};
    try {
      return await once(went)(method, request, options);
    } catch (error) {
      if (!isCallerRefused(error) || !credential.refused(went.header)) throw error;
      return once({})(method, request, options);
    }
  };
}

/** Opens a connection of its own to one of the client's addresses. Nothing is sent before the first call. */
export function connect(settings: Settings, address: string): Connection {
  const client = open(settings, address);
  let inFlight = 0;
  let retired = false;

  const interceptorsFor = (went: Went) => [saysWhoCalls(settings.credential, went)];
  const started = (): void => {
    inFlight++;
  };
  const finished = (): void => {
    inFlight--;
    if (retired && inFlight === 0) client.close();
  };

  const once: Once = (went) => (method, request, options) =>
    new Promise((resolve, reject) => {
      if (options.signal?.aborted) return reject(options.signal.reason);
      const message = toBinary(method.input, create(method.input, request));
      const callOptions: CallOptions = {
        deadline: Date.now() + options.timeoutMs,
        interceptors: interceptorsFor(went),
      };
      const path = `/${method.parent.typeName}/${method.name}`;
      const answered = (error: ServiceError | null, answer?: Uint8Array): void => {
        options.signal?.removeEventListener("abort", cancel);
        finished();
        if (error) {
          reject(options.signal?.aborted ? options.signal.reason : fromServiceError(error));
          return;
        }
        try {
          resolve(fromBinary(method.output, answer ?? new Uint8Array()));
        } catch (cause) {
          reject(unreadable(`${method.name} was answered with bytes that cannot be read`, cause));
        }
      };
      started();
      const metadata = metadataWith(options.token);
      const call = client.makeUnaryRequest(
        path,
        bytes,
        (raw: Buffer): Uint8Array => raw,
        message,
        metadata,
        callOptions,
        answered,
      );
      const cancel = (): void => call.cancel();
      options.signal?.addEventListener("abort", cancel, { once: true });
    });

  return {
    address,
    unary: byAnother(settings.credential, once),
    exchange: () => {
      const went: Went = {};
      const path = `/${DecisionService.typeName}/${DecisionService.method.exchange.name}`;
      const stream = client.makeBidiStreamRequest(
        path,
        bytes,
        (raw: Buffer): Uint8Array => raw,
        metadataWith(undefined),
        { interceptors: interceptorsFor(went) },
      );
      started();
      stream.once("status", finished);
      return { stream, header: () => went.header };
    },
    retire: () => {
      if (retired) return;
      retired = true;
      if (inFlight === 0) client.close();
    },
  };
}
