import { keyOf } from "./call-key.ts";

/** So many calls are remembered whose reports may still echo; the oldest are forgotten first. */
const echoesMax = 4096;

interface Pending {
  readonly settled: Promise<unknown>;
  readonly echo: boolean;
  readonly report: { readonly request: { readonly subject: { readonly case: string | undefined } } };
}

/** Which reports are on their way, by their calls. */
export interface ReportsOfCalls<Item> {
  add(sessionId: string, callId: string, item: Item): void;
  forget(sessionId: string, callId: string, item: Item): void;
  all(sessionId: string, callId: string): readonly Item[];
  /** Settles when all of them are; undefined when there is none. Never rejects. */
  settled(sessionId: string, callId: string): Promise<unknown> | undefined;
  /** Whether a report that named the call by its call id was taken, and an earlier copy of it may yet arrive. */
  echoes(sessionId: string, callId: string): boolean;
}

export function createReportsOfCalls<Item extends Pending>(): ReportsOfCalls<Item> {
  const byCall = new Map<string, Map<Item, Promise<void>>>();
  const echoing = new Set<string>();

  const remember = (key: string): void => {
    echoing.add(key);
    const [oldest] = echoing;
    if (echoing.size > echoesMax && oldest !== undefined) echoing.delete(oldest);
  };
  const remove = (key: string, item: Item): void => {
    const items = byCall.get(key);
    items?.delete(item);
    if (items?.size === 0) byCall.delete(key);
  };

  return {
    add: (sessionId, callId, item) => {
      const key = keyOf(sessionId, callId);
      const items = byCall.get(key) ?? new Map<Item, Promise<void>>();
      byCall.set(key, items);
      const over = (): void => {
        if (item.echo && item.report.request.subject.case === "callId") remember(key);
        remove(key, item);
      };
      items.set(item, item.settled.then(over, over));
    },
    forget: (sessionId, callId, item) => remove(keyOf(sessionId, callId), item),
    all: (sessionId, callId) => [...(byCall.get(keyOf(sessionId, callId))?.keys() ?? [])],
    settled: (sessionId, callId) => {
      const items = byCall.get(keyOf(sessionId, callId));
      return items && Promise.all(items.values());
    },
    echoes: (sessionId, callId) => echoing.has(keyOf(sessionId, callId)),
  };
}
