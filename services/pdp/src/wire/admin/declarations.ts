import { create } from "@bufbuild/protobuf";
import type { GroupDocument } from "@remit/engine";
import {
  type DeleteAgentsRequest,
  type DeleteAgentsResponse,
  DeleteAgentsResponseSchema,
  type DeleteBudgetsRequest,
  type DeleteBudgetsResponse,
  DeleteBudgetsResponseSchema,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
  DeleteGroupsResponseSchema,
  type DeleteToolsRequest,
  type DeleteToolsResponse,
  DeleteToolsResponseSchema,
  type ListGroupsRequest,
  type ListGroupsResponse,
  ListGroupsResponseSchema,
  type PutBudgetRequest,
  type PutBudgetResponse,
  PutBudgetResponseSchema,
  type PutGroupRequest,
  type PutGroupResponse,
  PutGroupResponseSchema,
} from "@remit/proto/admin";
import { invalid } from "../../foundation/fault.ts";
import { eachInSlices } from "../../foundation/in-slices.ts";
import { limits } from "../../foundation/limits.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import type { DocumentKind } from "../../policies/index.ts";
import type { Call, Unary } from "../call.ts";
import { budgetToWire } from "../convert/budget.ts";
import { boundedList, storedName } from "../convert/fields.ts";
import { problemsToWire, sourceFrom } from "../convert/problem.ts";
import { CHANGES } from "./change.ts";
import type { AdminDesk } from "./desk.ts";
import { documentPage } from "./pages.ts";

function groupToWire({ metadata, spec }: GroupDocument) {
  return { name: metadata.name, members: [...spec.members] };
}

/** `BudgetService`, `GroupService`, and what deletes registrations. */
export interface DeclarationRpcs {
  readonly putBudget: Unary<PutBudgetRequest, PutBudgetResponse>;
  readonly deleteBudgets: Unary<DeleteBudgetsRequest, DeleteBudgetsResponse>;
  readonly putGroup: Unary<PutGroupRequest, PutGroupResponse>;
  readonly listGroups: Unary<ListGroupsRequest, ListGroupsResponse>;
  readonly deleteGroups: Unary<DeleteGroupsRequest, DeleteGroupsResponse>;
  readonly deleteAgents: Unary<DeleteAgentsRequest, DeleteAgentsResponse>;
  readonly deleteTools: Unary<DeleteToolsRequest, DeleteToolsResponse>;
}

export function declarationRpcs(desk: AdminDesk): DeclarationRpcs {
  const remove = async (kind: DocumentKind, request: { names: string[]; dryRun: boolean }, call: Call) => {
    const caller = desk.caller(call);
    const once = new Set<string>();
    let at = 0;
    const take = (name: string) => void once.add(storedName(name, `names[${at++}]`, limits.toolNameBytesMax));
    await eachInSlices(boundedList(request.names, "names", limits.namesDeletedMax), turnOfTheLoop, take);
    const names = [...once];
    if (names.length < request.names.length) {
      throw invalid("names", "a name stands twice", { fix: "name each once" });
    }
    return { revision: await desk.registry.remove(caller, kind, names, request.dryRun) };
  };
  return {
    async putBudget(request, call) {
      const caller = desk.caller(call);
      const put = await desk.registry.putBudget(caller, sourceFrom(request.document, "document"), request.dryRun);
      return create(PutBudgetResponseSchema, {
        ...(put.document && { budget: budgetToWire(put.document) }),
        problems: await problemsToWire(put.problems),
        revision: put.revision,
        change: CHANGES[put.effect],
      });
    },
    deleteBudgets: async (request, call) => create(DeleteBudgetsResponseSchema, await remove("budget", request, call)),
    async putGroup(request, call) {
      const caller = desk.caller(call);
      const put = await desk.registry.putGroup(caller, sourceFrom(request.document, "document"), request.dryRun);
      return create(PutGroupResponseSchema, {
        ...(put.document && { group: groupToWire(put.document) }),
        problems: await problemsToWire(put.problems),
        revision: put.revision,
        change: CHANGES[put.effect],
      });
    },
    async listGroups(request, call) {
      const { tenant } = desk.caller(call);
      const { items: groups, nextPageToken } = await documentPage(desk, tenant, "group", request, {
        held: (snapshot) => snapshot.groups,
        toWire: ({ document }) => groupToWire(document),
      });
      return create(ListGroupsResponseSchema, { groups, nextPageToken });
    },
    deleteGroups: async (request, call) => create(DeleteGroupsResponseSchema, await remove("group", request, call)),
    deleteAgents: async (request, call) => create(DeleteAgentsResponseSchema, await remove("agent", request, call)),
    deleteTools: async (request, call) => create(DeleteToolsResponseSchema, await remove("tool", request, call)),
  };
}
