import type { Probe } from "./isolation-table.ts";
import { type Neighbours, nothing, THEIRS } from "./neighbours.ts";

/** `RevocationService` and `BreakerService`: see `isolation-table.ts`. */
export const revocationRows: Readonly<Record<string, (all: Neighbours) => Probe[]>> = {
  "remit.v1.RevocationService/Revoke": ({ ours: { house, headers }, theirs }) => {
    const revoke = (of: "session" | "agent" | "principal") => async (value: string) => {
      const subject = { subject: { case: of, value } } as const;
      const { created, known } = await house.clients.revocations.revoke({ subject, reason: "tried" }, { headers });
      return { created, known };
    };
    return [
      { theirs: theirs.sessionId, nobodys: nothing(), alike: revoke("session") },
      { theirs: `${THEIRS}-agent`, nobodys: "no-agent", alike: revoke("agent") },
      { theirs: `${THEIRS}-principal`, nobodys: "nobody", alike: revoke("principal") },
    ];
  },
  "remit.v1.RevocationService/Lift": ({ ours: { house, headers }, theirs }) => [
    {
      ...{ theirs: theirs.revocationId, nobodys: nothing() },
      alike: (revocationId) => house.clients.revocations.lift({ revocationId, reason: "tried" }, { headers }),
    },
  ],
  "remit.v1.RevocationService/ListRevocations": ({ ours: { house, headers }, theirs }) => {
    const list = async (pageToken = "") => {
      const { revocations } = await house.clients.revocations.listRevocations({ all: true, pageToken }, { headers });
      // What we revoked under their names ourselves is ours.
      return revocations.filter(({ id, reason }) => id === theirs.revocationId || reason !== "tried");
    };
    return [{ ours: () => list() }, { ours: () => list(theirs.revocationId) }];
  },
  "remit.v1.BreakerService/ListBreakers": ({ ours: { house, headers }, theirs }) => [
    { ours: () => house.clients.breakers.listBreakers({ all: true }, { headers }) },
    { ours: () => house.clients.breakers.listBreakers({ all: true, pageToken: theirs.decisionId }, { headers }) },
  ],
  "remit.v1.BreakerService/ResetBreaker": ({ ours: { house, headers }, theirs }) => [
    {
      ...{ theirs: theirs.sessionId, nobodys: nothing() },
      alike: (sessionId) => house.clients.breakers.resetBreaker({ sessionId, reason: "tried" }, { headers }),
    },
    {
      ...{ theirs: `${THEIRS}-agent`, nobodys: "no-agent" },
      alike: (agent) => house.clients.breakers.resetBreaker({ agent, reason: "tried" }, { headers }),
    },
  ],
};
