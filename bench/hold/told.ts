import type { DescMessage, Message } from "@bufbuild/protobuf";
import {
  DeleteToolsResponseSchema,
  GetDecisionResponseSchema,
  GetToolResponseSchema,
  ListDecisionsResponseSchema,
  ListGroupsResponseSchema,
  ListToolsResponseSchema,
  PublishPoliciesResponseSchema,
  PutGroupResponseSchema,
} from "@remit/proto/admin";
import type { JsonObject, Problem } from "../../services/engine/src/index.ts";
import { createListDecisions } from "../../services/pdp/src/decisions/list-decisions.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { systemTurnRoom } from "../../services/pdp/src/foundation/turn-room.ts";
import type { DecisionRange, StoredRecord } from "../../services/pdp/src/ledger/index.ts";
import { declarationRpcs } from "../../services/pdp/src/wire/admin/declarations.ts";
import { documentRpcs } from "../../services/pdp/src/wire/admin/documents.ts";
import { ledgerRpcs } from "../../services/pdp/src/wire/admin/ledger.ts";
import { policyRpcs } from "../../services/pdp/src/wire/admin/policies.ts";
import { type Case, many, tool } from "./catalogue.ts";
import { prepareWith, settle } from "./turns.ts";
import { type Form, forms, written } from "./written.ts";

type Ask = (request: never, call: never) => Promise<Message>;

/** One answer, asked for once. */
const telling = (as: Form, name: string, schema: DescMessage, request: object, ask: () => Ask): Case => ({
  name: `answer: ${name}, in ${as}`,
  make: () => {
    const rpc = ask();
    return prepareWith(settle, async (pause) => {
      const answer = await rpc(request as never, {} as never);
      await written(as, schema, answer, pause);
    });
  },
});

const caller = () => ({ tenant: "t" });
const revisions = { security: 1n, policy: 1n };
const properties = (count: number, value: (at: number) => JsonObject): JsonObject => ({
  type: "object",
  properties: Object.fromEntries(many(count, (at) => [`p${at}`, value(at)])),
});

const deskOfTools = (count: number, schema: (at: number) => JsonObject) => {
  const documents = many(count, (at) => tool(schema(at), `t${at}`));
  const tools = new Map(documents.map((document) => [document.metadata.name, { document, digest: "" }]));
  const snapshot = { tools, revisions, policyDigest: "" };
  const policies = { names: async () => [...tools.keys()] };
  return documentRpcs({ caller, snapshots: { current: async () => snapshot }, policies } as never);
};

const groupOf = (members: number) => ({
  ...({ apiVersion: "remit/v1", kind: "Group", metadata: { name: "g" } } as const),
  spec: { members: many(members, (at) => `someone-${at}@example.com`) },
});

const deskOfGroup = (members: number) => {
  const document = groupOf(members);
  const snapshot = { groups: new Map([["g", { document, digest: "" }]]), revisions, policyDigest: "" };
  return declarationRpcs({
    ...{ caller, snapshots: { current: async () => snapshot }, policies: { names: async () => ["g"] } },
    registry: { putGroup: async () => ({ document, problems: [], revision: 1n, effect: "created" }) },
  } as never);
};

const problemAt = (at: number): Problem => ({
  ...{ file: "policies/payments.yaml", line: at + 1, column: 7, severity: at % 2 === 0 ? "error" : "warning" },
  ...{ code: "key_unknown", message: `efect${at} is no field of a rule: “${"é".repeat(80)}”` },
  ...{ excerpt: "é".repeat(170), expected: "e".repeat(100), nearest: "effect" },
});

const deskOfProblems = (count: number) => {
  const problems = many(count, problemAt);
  return policyRpcs({ caller, lifecycle: { publish: async () => ({ versions: [], problems }) } } as never);
};

const bytes = (value: object) => new TextEncoder().encode(JSON.stringify(value));

/** What an entry says besides its input. */
const said = (at: number) => ({
  ...{
    agent: { id: `agent-${at}` },
    tool: "payments.transfer",
    effect: "allow",
    reason: { code: "rule", message: "m" },
  },
  ...{ call: { id: `call-${at}` }, caller: { id: "c" }, rules: many(12, (n) => ({ policy: "p", rule: `r${n}` })) },
});

const recordOf = (at: number, body: object, aside?: object): StoredRecord => ({
  ...{ epoch: 1n, n: BigInt(at), id: `019a4f3e-0000-7000-8000-${String(at).padStart(12, "0")}`, tenant: "t" },
  ...{ session: "s", kind: "decision", digest: new Uint8Array(32), body: bytes({ ...said(at), ...body }) },
  ...(aside && { aside: bytes(aside) }),
});

const members = (count: number, text: string) => Object.fromEntries(many(count, (at) => [`k${at}`, `${text}${at}`]));

/** Decisions as a store would answer them, and a reader who asks for those of one tool. */
function deskOfEntries(make: () => readonly StoredRecord[]) {
  const all = make();
  const ledger = {
    findById: async () => all[0],
    findBySubject: async () => all.slice(1),
    async listDecisions(_: string, { beforeId, recordsMax }: DecisionRange) {
      const records = all.filter(({ id }) => id < beforeId).slice(0, recordsMax);
      const listed = records.map(({ aside, ...one }) => ({ ...one, asideBytes: aside?.length ?? 0 }));
      return { records: listed, more: records.length === recordsMax };
    },
    withAsides: async (_: string, records: readonly { readonly id: string }[]) =>
      records.flatMap((record) => all.filter(({ id }) => id === record.id)),
  };
  const listDecisions = createListDecisions({ ledger, turns: systemTurnRoom() });
  return ledgerRpcs({ caller, ledger, listDecisions } as never);
}

const anyDecision = {
  ...{ pageSize: 100, pageToken: "", agent: "", tool: "", sessionId: "", rolloutId: "" },
  ...{ effect: 0, would: 0, differs: false },
};
const entries = (as: Form, name: string, request: object, make: () => readonly StoredRecord[]) =>
  telling(
    as,
    name,
    ListDecisionsResponseSchema,
    { ...anyDecision, ...request },
    () => deskOfEntries(make).listDecisions as Ask,
  );

const page = { pageSize: limits.registeredListedMax, pageToken: "" };
const someDecision = { decisionId: "019a4f3e-0000-7000-8000-000000000000" };
const long = (count: number, values: number) => () =>
  many(count, (at) => recordOf(count - at, {}, { input: members(values, "x".repeat(40)) }));

/** Answers of the admin plane that say much of one thing, at their limits. */
export const told: readonly Case[] = forms.flatMap((as) => [
  telling(as, "a tool of 10,000 properties", GetToolResponseSchema, { name: "t0" }, () => {
    const of = { type: "string", description: "d".repeat(50) };
    return deskOfTools(1, () => properties(10_000, () => of)).getTool as Ask;
  }),
  telling(as, "a tool of 20,000 values, six levels down", GetToolResponseSchema, { name: "t0" }, () => {
    const values = { enum: many(20_000, (at) => `a value of some length, ${at}`) };
    const nested = many(5, (at) => at).reduce<JsonObject>((inner) => properties(1, () => inner), values);
    return deskOfTools(1, () => nested).getTool as Ask;
  }),
  telling(as, "50 tools of schemas of 500 properties that nobody has read yet", ListToolsResponseSchema, page, () => {
    const of = { type: "string", description: "d".repeat(50) };
    return deskOfTools(50, (at) => properties(500, (n) => ({ ...of, maxLength: at + n }))).listTools as Ask;
  }),
  telling(as, "a group of 30,000 members", ListGroupsResponseSchema, page, () => deskOfGroup(30_000).listGroups as Ask),
  telling(
    as,
    "a group of 30,000 members that was put",
    PutGroupResponseSchema,
    { document: { file: "g", text: "g" } },
    () => deskOfGroup(30_000).putGroup as Ask,
  ),
  telling(as, "10,000 tools deleted", DeleteToolsResponseSchema, { names: many(10_000, (at) => `tool-${at}`) }, () => {
    return declarationRpcs({ caller, registry: { remove: async () => 1n } } as never).deleteTools as Ask;
  }),
  telling(
    as,
    "4,000 problems",
    PublishPoliciesResponseSchema,
    { files: [], strict: false },
    () => deskOfProblems(4_000).publishPolicies as Ask,
  ),
  telling(
    as,
    "a decision with 4,000 values and 63 reports",
    GetDecisionResponseSchema,
    someDecision,
    () => deskOfEntries(() => [...long(1, 4_000)(), ...long(63, 100)()]).getDecision as Ask,
  ),
  entries(as, "decisions of 4,000 values each, as many as a page holds", {}, long(100, 4_000)),
  entries(as, "100 decisions of 700 values each", {}, long(100, 700)),
  entries(as, "decisions of another tool, of which none is that one", { tool: "payments.transfer.b" }, () =>
    many(1_000, (at) =>
      recordOf(1_000 - at, { input: members(150, "payments.transfer"), more: { tool: "payments.transfer.b" } }),
    ),
  ),
]);
