import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AbortRolloutRequest,
  type AbortRolloutResponse,
  AbortRolloutResponseSchema,
  type GetRolloutRequest,
  type GetRolloutResponse,
  GetRolloutResponseSchema,
  type PromoteRolloutRequest,
  type PromoteRolloutResponse,
  PromoteRolloutResponseSchema,
  type SetRolloutShareRequest,
  type SetRolloutShareResponse,
  SetRolloutShareResponseSchema,
  type StartRolloutRequest,
  type StartRolloutResponse,
  StartRolloutResponseSchema,
  type TallyRolloutRequest,
  type TallyRolloutResponse,
  TallyRolloutResponseSchema,
} from "@remit/proto/rollout";
import { revisionNumber } from "../../decisions/index.ts";
import { limits } from "../../foundation/limits.ts";
import type { RolloutInfo, Snapshot } from "../../policies/index.ts";
import type { Unary } from "../call.ts";
import { effectToWire } from "../convert/answer.ts";
import { uuidField } from "../convert/fields.ts";
import { expectedRevision, singleChoices } from "../convert/policy.ts";
import type { AdminDesk } from "./desk.ts";

const idFrom = ({ rolloutId }: { readonly rolloutId: string }) =>
  rolloutId === "" ? undefined : uuidField(rolloutId, "rollout_id");

function rolloutToWire(info: RolloutInfo, snapshot: Snapshot) {
  const { id, versions, shareBasisPoints, startedBy, ended } = info;
  const broken = snapshot.rollout?.id === id ? snapshot.rollout.broken : undefined;
  return {
    id,
    versions: versions.map(({ policy, version, base }) => ({ policy, version, baseVersion: base ?? 0 })),
    shareBasisPoints,
    shareSetAt: timestampFromMs(info.shareSetAtMs),
    startedAt: timestampFromMs(info.startedAtMs),
    startedBy: { ...startedBy },
    ...(ended && { endedAs: ended.as, endedAt: timestampFromMs(ended.atMs) }),
    ...(ended?.by && { endedBy: { ...ended.by } }),
    problem: broken?.[0]?.message ?? "",
  };
}

/** `RolloutService`. */
export interface RolloutRpcs {
  readonly startRollout: Unary<StartRolloutRequest, StartRolloutResponse>;
  readonly setRolloutShare: Unary<SetRolloutShareRequest, SetRolloutShareResponse>;
  readonly promoteRollout: Unary<PromoteRolloutRequest, PromoteRolloutResponse>;
  readonly abortRollout: Unary<AbortRolloutRequest, AbortRolloutResponse>;
  readonly getRollout: Unary<GetRolloutRequest, GetRolloutResponse>;
  readonly tallyRollout: Unary<TallyRolloutRequest, TallyRolloutResponse>;
}

export function rolloutRpcs(desk: AdminDesk): RolloutRpcs {
  const { lifecycle, snapshots } = desk;
  const shown = async (tenant: string, info: RolloutInfo) => rolloutToWire(info, await snapshots.current(tenant));
  return {
    async startRollout(request, call) {
      const caller = desk.caller(call);
      const choices = singleChoices(request.choices, limits.policyChoicesMax);
      const { shareBasisPoints } = request;
      const made = await lifecycle.startRollout(caller, choices, shareBasisPoints, expectedRevision(request));
      const { revision } = made;
      return create(StartRolloutResponseSchema, { rollout: await shown(caller.tenant, made.rollout), revision });
    },
    async setRolloutShare(request, call) {
      const caller = desk.caller(call);
      const { shareBasisPoints } = request;
      const expected = expectedRevision(request);
      const made = await lifecycle.setRolloutShare(caller, idFrom(request), shareBasisPoints, expected);
      const { revision } = made;
      return create(SetRolloutShareResponseSchema, { rollout: await shown(caller.tenant, made.rollout), revision });
    },
    async promoteRollout(request, call) {
      const caller = desk.caller(call);
      const made = await lifecycle.promoteRollout(caller, idFrom(request), expectedRevision(request));
      const { revision, policyDigest } = made;
      const rollout = await shown(caller.tenant, made.rollout);
      return create(PromoteRolloutResponseSchema, { rollout, revision, policyDigest });
    },
    async abortRollout(request, call) {
      const caller = desk.caller(call);
      const made = await lifecycle.abortRollout(caller, idFrom(request), expectedRevision(request));
      const { revision } = made;
      return create(AbortRolloutResponseSchema, { rollout: await shown(caller.tenant, made.rollout), revision });
    },
    async getRollout(request, call) {
      const caller = desk.caller(call);
      const { revisions } = await snapshots.current(caller.tenant);
      const info = await lifecycle.showRollout(caller, idFrom(request));
      const rollout = await shown(caller.tenant, info);
      return create(GetRolloutResponseSchema, { rollout, revision: revisionNumber(revisions) });
    },
    async tallyRollout(request, call) {
      const caller = desk.caller(call);
      const before = request.pageToken === "" ? undefined : uuidField(request.pageToken, "page_token");
      const page = await lifecycle.tallyRollout(caller, idFrom(request), before);
      const { judged, unjudged, canary, differences, nextBeforeId } = page;
      return create(TallyRolloutResponseSchema, {
        ...{ judged: BigInt(judged), unjudged: BigInt(unjudged), canary: BigInt(canary) },
        differences: differences.map(({ from, to, calls, decisionIds, ...codes }) => ({
          ...{ ...codes, from: effectToWire(from), to: effectToWire(to), calls: BigInt(calls) },
          decisionIds: [...decisionIds],
        })),
        nextPageToken: nextBeforeId ?? "",
      });
    },
  };
}
