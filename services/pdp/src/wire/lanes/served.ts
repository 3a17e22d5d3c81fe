import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageShape,
} from "@bufbuild/protobuf";
import { assert } from "../../foundation/assert.ts";
import { Fault } from "../../foundation/fault.ts";
import type { Duplex, Unary } from "../call.ts";

type Rpc<Method extends DescMethod> =
  Method extends DescMethodUnary<infer I extends DescMessage, infer O extends DescMessage>
    ? Unary<MessageShape<I>, MessageShape<O>>
    : Method extends
          | DescMethodBiDiStreaming<infer I extends DescMessage, infer O extends DescMessage>
          | DescMethodServerStreaming<infer I extends DescMessage, infer O extends DescMessage>
      ? Duplex<MessageShape<I>, MessageShape<O>>
      : never;

/** The RPCs of a service by the name its descriptor gives them (`decide`). One left out answers UNIMPLEMENTED. */
export type Rpcs<Service extends DescService> = {
  readonly [Name in keyof Service["method"]]?: Rpc<Service["method"][Name]>;
};

/** One RPC as a lane sees it: the descriptor says how to read and write its messages. */
export type ServedRpc =
  | { readonly kind: "unary"; readonly method: DescMethod; readonly run: Unary<Message, Message> }
  | { readonly kind: "stream"; readonly method: DescMethod; readonly open: Duplex<Message, Message> };

/** A service and what answers it, for any lane: one RPC for each of its methods. */
export interface Served {
  readonly service: DescService;
  readonly rpcs: readonly ServedRpc[];
}

function refusal(method: DescMethod): () => never {
  return () => {
    const name = `${method.parent.typeName}/${method.name}`;
    throw new Fault("unimplemented", "not_served", `this server does not serve ${name}`);
  };
}

/**
 * Pairs a service with its RPCs. A stream of answers to one request is a `Duplex` that receives one message and is
 * closed right after it.
 */
export function serve<Service extends DescService>(service: Service, rpcs: Rpcs<Service>): Served {
  const table = rpcs as Readonly<Record<string, Unary<Message, Message> | Duplex<Message, Message> | undefined>>;
  const served = service.methods.map((method): ServedRpc => {
    assert(method.methodKind !== "client_streaming", "no service streams requests to one answer");
    const rpc = table[method.localName] ?? refusal(method);
    // The mapped type above lets nothing else through.
    if (method.methodKind === "unary") return { kind: "unary", method, run: rpc as Unary<Message, Message> };
    return { kind: "stream", method, open: rpc as Duplex<Message, Message> };
  });
  return { service, rpcs: served };
}
