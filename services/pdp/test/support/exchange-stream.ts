import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type ExchangeRequest, ExchangeRequestSchema, type ExchangeResponse, type Notice } from "@remit/proto/decision";
import type { House } from "./pdp.ts";

type Body = NonNullable<MessageInitShape<typeof ExchangeRequestSchema>["body"]>;
type Answer = ExchangeResponse["body"];

/** An `Exchange` stream over gRPC that a test writes frames to and reads answers and notices from, in any order. */
export interface ExchangeStream {
  send(frame: bigint, body: Body): void;
  /** The answer to a frame, whenever it comes. */
  answer(frame: bigint): Promise<Answer>;
  /** Sends a frame, and answers what it is answered. */
  ask(frame: bigint, body: Body): Promise<Answer>;
  /** Attaches a session; answers its handle. */
  attach(frame: bigint, sessionToken: string): Promise<number>;
  /** Notices so far, in order. */
  readonly notices: readonly Notice["body"][];
  /** Waits for so many notices in all; answers them. */
  noticed(count: number): Promise<readonly Notice["body"][]>;
  /** Half-closes, and answers how many more messages come. */
  end(): Promise<number>;
}

/** Things that wait for other things to have happened. */
function createBell() {
  const waiting: (() => void)[] = [];
  return {
    ring(): void {
      for (const go of waiting.splice(0)) go();
    },
    heard: () => new Promise<void>((resolve) => waiting.push(resolve)),
  };
}

/** `key` null: what says who calls is the connection. */
export function openStream(
  house: Pick<House, "clients" | "ownerKey">,
  key: string | null = house.ownerKey,
): ExchangeStream {
  const frames: ExchangeRequest[] = [];
  const outgoingBell = createBell();
  let ended = false;
  async function* outgoing() {
    while (!ended || frames.length > 0) {
      const next = frames.shift();
      if (next) yield next;
      else await outgoingBell.heard();
    }
  }
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const answers = house.clients.decisionsByGrpc.exchange(outgoing(), { headers });
  const seen = new Map<bigint, Answer>();
  const notices: Notice["body"][] = [];
  const bell = createBell();
  let received = 0;
  let over: { readonly error?: unknown } | undefined;
  const read = async (): Promise<void> => {
    for await (const { frame, body } of answers) {
      received++;
      if (body.case === "notice") notices.push(body.value.body);
      else seen.set(frame, body);
      bell.ring();
    }
  };
  const reading = read()
    .then(
      () => ({}),
      (error: unknown) => ({ error }),
    )
    .then((how) => {
      over = how;
      bell.ring();
    });

  const until = async <T>(look: () => T | undefined, what: string): Promise<T> => {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (over) throw new Error(`the stream ended before ${what}`, { cause: over.error });
      await bell.heard();
    }
  };
  const send = (frame: bigint, body: Body): void => {
    frames.push(create(ExchangeRequestSchema, { frame, body }));
    outgoingBell.ring();
  };
  const answer = (frame: bigint) => until(() => seen.get(frame), `frame ${frame} was answered`);
  const ask = (frame: bigint, body: Body): Promise<Answer> => {
    send(frame, body);
    return answer(frame);
  };
  return {
    send,
    answer,
    ask,
    async attach(frame, sessionToken) {
      const body = await ask(frame, { case: "attach", value: { sessionToken } });
      if (body.case !== "attached") throw new Error(`attach was answered ${body.case}`);
      return body.value.handle;
    },
    notices,
    noticed: (count) => until(() => (notices.length >= count ? notices : undefined), `notice ${count} came`),
    async end() {
      const before = received;
      ended = true;
      outgoingBell.ring();
      await reading;
      return received - before;
    },
  };
}
