import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { AdminCall } from "../../decisions/index.ts";
import { assert } from "../../foundation/assert.ts";
import { Fault } from "../../foundation/fault.ts";
import type { Caller, Identities } from "../../identities/index.ts";
import type { Actor, Call, Unary } from "../call.ts";
import { traceIdFrom } from "../convert/trace.ts";
import { grantOf, methodName, requireGranted } from "../grants.ts";
import type { Served, ServedRpc } from "../lanes/served.ts";
import { aboutOf } from "./about.ts";
import type { AdminDesk } from "./desk.ts";

type Rooms = Pick<AdminDesk, "identities" | "admission" | "recordCall" | "meter" | "log">;

const TRIES_MAX = 5;
const STRANGERS_LOGGED_EVERY_MS = 1_000;

/** Counts those who are nobody, and says so in the log, at most once a second for each reason. */
function createDoorman({ meter, log }: Rooms) {
  const since = new Map<string, { readonly atMs: number; readonly before: number }>();
  let counted = 0;
  return (method: string, { reason }: Fault) => {
    meter.adminStranger(reason);
    counted++;
    const last = since.get(reason);
    const nowMs = performance.now();
    if (last && nowMs - last.atMs < STRANGERS_LOGGED_EVERY_MS) return;
    since.set(reason, { atMs: nowMs, before: counted });
    log.warn({ method, reason, requests: counted - (last?.before ?? 0) }, "nobody that is known asked the admin plane");
  };
}

/** Who calls: read from the store, since nothing here passes the commit that refuses what was judged too early. */
function createIdentify(rooms: Rooms) {
  const { identities, admission, meter } = rooms;
  const stranger = createDoorman(rooms);
  return async (call: Call, method: string): Promise<Caller> => {
    try {
      admission.admitAdmin(await identities.authenticate(call));
      return await identities.authenticate(call, true);
    } catch (error) {
      const isNobody = error instanceof Fault && (error.kind === "unauthenticated" || error.kind === "forbidden");
      if (isNobody) stranger(method, error);
      if (error instanceof Fault && error.reason === "overloaded") meter.shed("admin");
      throw error;
    }
  };
}

const reasonOf = (error: unknown) => (error instanceof Fault ? error.reason : "internal");

type Answer = { readonly value: Message } | { readonly error: unknown };

async function attempt(run: () => Promise<Message>): Promise<Answer> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error };
  }
}

/**
 * The one way into the admin plane. Nobody's request goes further than here; a caller's is run where the table grants it,
 * and is answered once an entry of its tenant's ledger tells of it. A change has told of itself, in its own commit; all
 * else is told here: reads, what changed nothing, what was refused, what failed.
 */
function guarded(
  rooms: Rooms,
  identify: ReturnType<typeof createIdentify>,
  method: DescMethod,
  run: Unary<Message, Message>,
): Unary<Message, Message> {
  const grant = grantOf(method);
  const name = methodName(method);
  const { to, tells = [] } = grant;
  if (to === "anybody") return run;

  /** Records a call; while its tenant's security moves, who calls is found out anew. */
  const record = async (call: Call, first: Caller, told: AdminCall): Promise<void> => {
    let caller = first;
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      if ((await rooms.recordCall(caller, told)) === "recorded") return;
      caller = await rooms.identities.authenticate(call, true);
      if (told.outcome === "ok") requireGranted(grant, caller);
    }
    throw new Fault("unavailable", "ledger_unavailable", "the call could not be recorded", { fix: "ask again" });
  };

  return async (request, call) => {
    const caller = await identify(call, name);
    const actor: Actor = { ...caller, asked: { method: name, told: new Set() } };
    const answer = await attempt(async () => {
      requireGranted(grant, caller);
      return run(request, { ...call, actor });
    });
    const outcome = "error" in answer ? reasonOf(answer.error) : "ok";
    if (outcome !== "ok" || !actor.asked.told.has(caller.tenant)) {
      const traceId = call.traceparent === undefined ? "" : traceIdFrom(call.traceparent);
      const about = aboutOf(method.input, request, tells);
      const recording = record(call, caller, { method: name, outcome, about, traceId });
      // What was changed is told where it was changed: an answer with a new key is not lost for a second entry.
      await (actor.asked.told.size === 0
        ? recording
        : recording.catch((error) =>
            rooms.log.error({ err: error, method: name }, "a change of another tenant is told there alone"),
          ));
    }
    if ("error" in answer) throw answer.error;
    return answer.value;
  };
}

/** What puts services behind the gate. Streams have no place on the admin plane. */
export function createGate(rooms: Rooms): (served: Served) => Served {
  const identify = createIdentify(rooms);
  return ({ service, rpcs }) => {
    const behind = rpcs.map((rpc): ServedRpc => {
      assert(rpc.kind === "unary", `${methodName(rpc.method)} is a stream, which the admin plane does not serve`);
      return { ...rpc, run: guarded(rooms, identify, rpc.method, rpc.run) };
    });
    return { service, rpcs: behind };
  };
}

/** The same table for the data plane, where a caller's own sessions are its own affair and roles are few. */
export function grantedOnly(identities: Pick<Identities, "authenticate">): (served: Served) => Served {
  return ({ service, rpcs }) => {
    const behind = rpcs.map((rpc): ServedRpc => {
      const grant = grantOf(rpc.method);
      if (typeof grant.to === "string") return rpc;
      assert(rpc.kind === "unary", `${methodName(rpc.method)} is a stream: no role is asked of one`);
      const run: typeof rpc.run = async (request, call) => {
        requireGranted(grant, await identities.authenticate(call));
        return rpc.run(request, call);
      };
      return { ...rpc, run };
    });
    return { service, rpcs: behind };
  };
}
