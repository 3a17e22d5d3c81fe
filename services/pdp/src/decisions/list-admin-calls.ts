import type { JsonObject } from "../foundation/canonical.ts";
import type { EntryRooms } from "./each-entry.ts";
import { fromLongBody } from "./replay.ts";
import { type Choose, type EntryPage, scanEntries } from "./scan-entries.ts";

/** Which calls of the admin plane are listed; what is undefined does not choose. */
export interface AdminCallQuery {
  readonly sinceMs: number;
  /** Not included. */
  readonly untilMs: number;
  /** `remit.v1.PolicyService/ActivatePolicies`, or the last part of it. */
  readonly method: string | undefined;
  readonly caller: string | undefined;
  /** `ok`, or the reason that was answered. */
  readonly outcome: string | undefined;
  readonly changesOnly: boolean;
  /** The last id of the page before. */
  readonly beforeId: string | undefined;
  readonly pageSize: number;
}

export type ListAdminCalls = (tenant: string, query: AdminCallQuery) => Promise<EntryPage>;

function chooser({ method, caller, outcome, changesOnly }: AdminCallQuery): Choose {
  const any = [method, caller, outcome].every((one) => one === undefined) && !changesOnly;
  const fits = (said: JsonObject): boolean => {
    const body = said as unknown as {
      readonly method?: string;
      readonly change?: string;
      readonly outcome?: string;
      readonly caller: { readonly id: string };
    };
    const asked = body.method ?? "";
    return (
      (method === undefined || asked === method || asked.endsWith(`/${method}`)) &&
      (caller === undefined || body.caller.id === caller) &&
      // A change that was made is told by what it changed.
      (outcome === undefined || (body.change === undefined ? body.outcome : "ok") === outcome) &&
      (!changesOnly || body.change !== undefined)
    );
  };
  return (record) => {
    if (any) return true;
    if (record.erased) return false;
    return fromLongBody(record, fits);
  };
}

/** Lists what was asked of the admin plane, page by page, the newest first. */
export function createListAdminCalls(rooms: EntryRooms): ListAdminCalls {
  return (tenant, query) => scanEntries(rooms, tenant, { ...query, kind: "admin", session: undefined }, chooser(query));
}
