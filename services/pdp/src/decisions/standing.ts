import { barredTool } from "@remit/engine";
import type { Clock } from "../foundation/clock.ts";
import type { Identities, Session } from "../identities/index.ts";
import type { Snapshots } from "../policies/index.ts";
import { revisionNumber } from "./decision.ts";
import { barred } from "./judge.ts";
import { toolRevoked } from "./revoked-call.ts";

/** What may have changed: everything of a tenant, or single sessions of it. */
export interface News {
  tenantMoved(tenant: string): void;
  sessionsEnded(sessionIds: ReadonlySet<string>, state: "closed" | "revoked"): void;
}

/**
 * Whether what was allowed may go on, by what this process knows now: for notices, which tell early. What binds is
 * decided, and recorded, when the next call is asked.
 */
export interface Standing {
  /** The code of what stands in the way of any call of this session; undefined when nothing does. */
  sessionBar(session: Session): string | undefined;
  /** The code of what stands in the way of any call of this tool; undefined when nothing does. */
  toolBar(tenant: string, tool: string): string | undefined;
  /** What `revision` says of decisions made here now; 0 before anything is known of the tenant. */
  revision(tenant: string): bigint;
  /** Calls back when something may have changed; answers how to stop that. */
  subscribe(news: News): () => void;
}

export function createStanding(rooms: {
  readonly snapshots: Snapshots;
  readonly identities: Identities;
  readonly clock: Clock;
}): Standing {
  const { snapshots, identities, clock } = rooms;
  return {
    sessionBar(session) {
      const snapshot = snapshots.held(session.tenant);
      return snapshot && barred(snapshot, session, clock.now())?.code;
    },
    toolBar(tenant, tool) {
      const snapshot = snapshots.held(tenant);
      return snapshot && (toolRevoked(snapshot, tool) ?? barredTool(snapshot.compiled, { tool }))?.code;
    },
    revision(tenant) {
      const snapshot = snapshots.held(tenant);
      return snapshot ? revisionNumber(snapshot.revisions) : 0n;
    },
    subscribe(news) {
      const stops = [
        snapshots.subscribe(({ tenant }) => news.tenantMoved(tenant)),
        identities.subscribe(news.sessionsEnded),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
