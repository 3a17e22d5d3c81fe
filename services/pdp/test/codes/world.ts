import { hash } from "node:crypto";
import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import type { DecideRequestSchema, DecideResponse } from "@remit/proto/decision";
import type { RevocationSubjectSchema, RevokeRequestSchema } from "@remit/proto/revocation";
import { settableClock } from "../../src/index.ts";
import { furnish, type House, openSession, startHouse } from "../support/pdp.ts";

const START_MS = Date.parse("2026-03-01T09:00:00Z");
export const MINUTE_MS = 60_000;

const documents = {
  tools: {
    "codes.broken": "risk: read",
    "codes.torn": "risk: read",
    "codes.forced": "risk: read\n  inputSchema: { type: object, properties: { path: { type: string, maxLength: 3 } } }",
    "codes.suspended": "risk: read\n  status: suspended",
  },
  policy: `apiVersion: remit/v1
kind: Policy
metadata: { name: codes }
spec:
  rules:
    - { id: broken, match: { tools: [codes.broken] }, when: input.deep.er == 1, effect: deny }
    - { id: spends, match: { tools: ["codes.spends.*"] }, effect: allow }
    - { id: one, match: { tools: [codes.torn] }, effect: transform, set: { path: a } }
    - { id: other, match: { tools: [codes.torn] }, effect: transform, set: { path: b } }
    - { id: forced, match: { tools: [codes.forced] }, effect: transform, set: { path: { expr: 'input.path + "/long"' } } }
`,
} as const;

type Headers = Readonly<Record<string, string>>;

/** A service with a tool and a rule for everything that can come out of a call. */
export interface World {
  readonly house: House;
  readonly owner: Headers;
  /** Of a session of the agent `clerk`. */
  readonly headers: Headers;
  /** Goes on with another time, which is undone afterwards. */
  later<T>(ms: number, then: () => Promise<T>): Promise<T>;
  /** Decides one call. With a call id of its own unless `more` has one. */
  decide(
    tool: string,
    input: JsonObject,
    more?: MessageInitShape<typeof DecideRequestSchema>,
    as?: Headers,
  ): Promise<DecideResponse>;
  /** Another tenant of the same cell, furnished: its owner's headers and its house. */
  tenant(name: string): Promise<House>;
  put(kind: "Agent" | "Tool" | "Budget", name: string, spec: string): Promise<void>;
  /** Revokes, and lifts it again once `then` is done. */
  revoked<T>(subject: MessageInitShape<typeof RevocationSubjectSchema>["subject"], then: () => Promise<T>): Promise<T>;
  id(): string;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const clock = settableClock(START_MS);
  const house = await startHouse({ clock, breakers: true });
  await furnish(house);
  const owner = { authorization: `Bearer ${house.ownerKey}` };
  let ids = 0;
  const id = () => `call-${++ids}`;
  const put: World["put"] = async (kind, name, spec) => {
    const text = `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n  ${spec}\n`;
    const document = { file: "document.yaml", text };
    const { agents, tools, budgets } = house.clients;
    const how = { headers: owner };
    const puts = {
      Agent: () => agents.putAgent({ document }, how),
      Tool: () => tools.putTool({ document }, how),
      Budget: () => budgets.putBudget({ document }, how),
    };
    const { problems } = await puts[kind]();
    if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  };
  for (const [name, spec] of Object.entries(documents.tools)) await put("Tool", name, spec);
  const { policies } = house.clients;
  const files = [{ file: "codes.yaml", text: documents.policy }];
  const published = await policies.publishPolicies({ files }, { headers: owner });
  if (published.versions.length !== 1) throw new Error(published.problems.map(({ message }) => message).join("; "));
  await policies.activatePolicies({ choices: [{ policy: "codes" }] }, { headers: owner });
  const { headers } = await openSession(house);

  return {
    house,
    owner,
    headers,
    put,
    revoked: async (subject, then) => {
      const { revocations } = house.clients;
      const made = { subject: { subject }, reason: "to see what happens" } as MessageInitShape<
        typeof RevokeRequestSchema
      >;
      const { revocation } = await revocations.revoke(made, { headers: owner });
      try {
        return await then();
      } finally {
        await revocations.lift({ revocationId: revocation?.id ?? "", reason: "seen" }, { headers: owner });
      }
    },
    id,
    later: async (ms, then) => {
      clock.set(START_MS + ms);
      try {
        return await then();
      } finally {
        clock.set(START_MS);
      }
    },
    decide: (tool, input, more = {}, as = headers) =>
      house.clients.decisions.decide(
        {
          callId: id(),
          tool,
          input: { case: "inputObject", value: input },
          supportedConstraints: ["timeout", "maxOutputBytes"],
          ...more,
        } as MessageInitShape<typeof DecideRequestSchema>,
        { headers: as },
      ),
    tenant: async (name) => {
      const { ownerKey } = await house.clients.tenants.createTenant({ tenant: name }, { headers: owner });
      const other = { ...house, ownerKey };
      await furnish(other);
      return other;
    },
    close: house.close,
  };
}

/** Some digest that no schema has. */
export const strangeDigest = `sha256:${hash("sha256", "no schema of anybody", "hex")}`;
