import { create, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ApproveChangeRequest,
  type ApproveChangeResponse,
  ApproveChangeResponseSchema,
  type GetChangeRequest,
  type GetChangeResponse,
  GetChangeResponseSchema,
  type ListChangesRequest,
  type ListChangesResponse,
  ListChangesResponseSchema,
  type ProposeChangeRequest,
  type ProposeChangeResponse,
  ProposeChangeResponseSchema,
  type RejectChangeRequest,
  type RejectChangeResponse,
  RejectChangeResponseSchema,
  type WithdrawChangeRequest,
  type WithdrawChangeResponse,
  WithdrawChangeResponseSchema,
} from "@remit/proto/change";
import { type Attempt, PROPOSAL_STATES, type Proposal } from "../../decisions/index.ts";
import { canonicalInSlices } from "../../foundation/canonical-in-slices.ts";
import { digestText } from "../../foundation/digest.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { quoted } from "../../foundation/quoted.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import type { Actor, Call, Unary } from "../call.ts";
import { digestField, durationField, requiredText, storedText, uuidField } from "../convert/fields.ts";
import { grantOf, methodName, requireGranted } from "../grants.ts";
import { authorityServices } from "./authority.ts";
import type { AdminDesk } from "./desk.ts";

/** What was proposed may be a document of a megabyte. */
const jsonOf = async (value: unknown) => (value === null ? "" : canonicalInSlices(value as object, turnOfTheLoop));

async function proposalToWire(one: Proposal) {
  const { id, method, message, reason, state, people, rows, request, ended } = one;
  const shown: { table: string; was: string; becomes: string }[] = [];
  for (const { table, was, becomes } of rows) {
    shown.push({ table, was: await jsonOf(was), becomes: await jsonOf(becomes) });
  }
  return {
    ...{ id, method, message: await jsonOf(message), reason, state, people, request, rows: shown },
    proposedBy: { ...one.by },
    proposedAt: timestampFromMs(one.proposedAtMs),
    expiresAt: timestampFromMs(one.expiresAtMs),
    approvals: one.approvals.map(({ by, atMs }) => ({ by: { ...by }, at: timestampFromMs(atMs) })),
    ...(ended && { endedAt: timestampFromMs(ended.atMs), endedWhy: ended.why }),
    ...(ended?.by && { endedBy: { ...ended.by } }),
    revision: BigInt(one.revision),
    digest: digestText(one.digest),
  };
}

/** Finds RPCs by the names that proposals give them, and reads their requests. */
function createAttempts(desk: AdminDesk) {
  const find = (at: AdminDesk, method: string) => {
    for (const { rpcs } of authorityServices(at)) {
      for (const rpc of rpcs) if (rpc.kind === "unary" && methodName(rpc.method) === method) return rpc;
    }
    throw invalid("method", `${quoted(method)} is no method that may widen authority`, {
      fix: "send the name of an RPC, such as remit.v1.PolicyService/ActivatePolicies",
    });
  };
  const schemaOf = (method: string) => find(desk, method).method.input;
  const read = (method: string, message: JsonObject) => {
    try {
      return fromJson(schemaOf(method), message);
    } catch (error) {
      throw invalid("message", `this is no request of ${method}: ${(error as Error).message}`);
    }
  };
  return {
    /** The request as its own JSON has it, whatever spelling it came in. */
    canonical: (method: string, message: JsonObject) => toJson(schemaOf(method), read(method, message)) as JsonObject,
    of:
      (method: string, message: JsonObject, call: Call): Attempt =>
      async (by, change) => {
        const rpc = find({ ...desk, ...desk.authorityBy(change) }, method);
        requireGranted(grantOf(rpc.method), by);
        const actor: Actor = { ...by, asked: { method, told: call.actor?.asked.told ?? new Set() } };
        return rpc.run(read(method, message), { ...call, actor });
      },
  };
}

/** `ChangeService`. */
export interface ChangeRpcs {
  readonly proposeChange: Unary<ProposeChangeRequest, ProposeChangeResponse>;
  readonly approveChange: Unary<ApproveChangeRequest, ApproveChangeResponse>;
  readonly rejectChange: Unary<RejectChangeRequest, RejectChangeResponse>;
  readonly withdrawChange: Unary<WithdrawChangeRequest, WithdrawChangeResponse>;
  readonly getChange: Unary<GetChangeRequest, GetChangeResponse>;
  readonly listChanges: Unary<ListChangesRequest, ListChangesResponse>;
}

function stateFrom(state: string) {
  if (state === "") return undefined;
  const known = PROPOSAL_STATES.find((one) => one === state);
  if (known) return known;
  throw invalid("state", `there is no state ${quoted(state)}`, {
    fix: `choose from ${PROPOSAL_STATES.join(", ")}`,
  });
}

function waitsFrom({ expiresIn }: ProposeChangeRequest): number {
  if (!expiresIn) return limits.changeLifetimeDefaultSeconds * 1000;
  const waitsMs = durationField(expiresIn, "expires_in");
  const mostMs = limits.changeLifetimeMaxSeconds * 1000;
  if (waitsMs > 0 && waitsMs <= mostMs) return waitsMs;
  throw invalid("expires_in", "a proposal cannot wait that long", {
    limit: `${limits.changeLifetimeMaxSeconds} seconds`,
  });
}

/** A key that is proposed is made by who will use it: none is made here, and none waits to be fetched. */
function refuseUnknownKey(method: string, message: JsonObject): void {
  if (!method.endsWith("/CreateKey") || message.keyHash !== undefined) return;
  throw invalid("message.key_hash", "a key that is proposed needs its hash", {
    fix: "make the key where it will be used, and send its hash: remit keys create does so",
  });
}

const reasonFrom = (reason: string) => storedText(reason, "reason", limits.changeReasonBytesMax);

export function changeRpcs(desk: AdminDesk): ChangeRpcs {
  const { proposals } = desk;
  const attempts = createAttempts(desk);
  const attemptOf =
    (call: Call) =>
    ({ method, message }: Proposal) =>
      attempts.of(method, message as JsonObject, call);
  return {
    async proposeChange(request, call) {
      const by = desk.caller(call);
      const method = requiredText(request.method, "method", limits.nameBytesMax);
      const message = attempts.canonical(method, request.message ?? {});
      refuseUnknownKey(method, message);
      const wanted = { method, message, reason: reasonFrom(request.reason), waitsMs: waitsFrom(request) };
      const change = await proposals.propose(by, wanted, attempts.of(method, message, call));
      return create(ProposeChangeResponseSchema, { change: await proposalToWire(change) });
    },
    async approveChange(request, call) {
      const by = desk.caller(call);
      const id = uuidField(request.changeId, "change_id");
      const digest = digestField(request.digest, "digest");
      const { proposal, revision } = await proposals.approve(by, id, digest, attemptOf(call));
      return create(ApproveChangeResponseSchema, { change: await proposalToWire(proposal), revision });
    },
    async rejectChange(request, call) {
      const by = desk.caller(call);
      const id = uuidField(request.changeId, "change_id");
      const change = await proposals.reject(by, id, reasonFrom(request.reason), attemptOf(call));
      return create(RejectChangeResponseSchema, { change: await proposalToWire(change) });
    },
    async withdrawChange(request, call) {
      const by = desk.caller(call);
      const change = await proposals.withdraw(by, uuidField(request.changeId, "change_id"));
      return create(WithdrawChangeResponseSchema, { change: await proposalToWire(change) });
    },
    async getChange(request, call) {
      const by = desk.caller(call);
      const change = await proposals.get(by, uuidField(request.changeId, "change_id"));
      return create(GetChangeResponseSchema, { change: await proposalToWire(change) });
    },
    async listChanges(request, call) {
      const by = desk.caller(call);
      const before = request.pageToken === "" ? undefined : uuidField(request.pageToken, "page_token");
      const most = Math.min(request.pageSize || limits.listPageRecordsMax, limits.listPageRecordsMax);
      const found = await proposals.list(by, { state: stateFrom(request.state), before, most });
      const last = found.length === most ? found.at(-1)?.id : undefined;
      return create(ListChangesResponseSchema, {
        changes: await Promise.all(found.map(proposalToWire)),
        nextPageToken: last ?? "",
      });
    },
  };
}
