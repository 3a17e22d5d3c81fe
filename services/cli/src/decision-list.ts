import type { JsonObject, JsonValue, MessageInitShape } from "@bufbuild/protobuf";
import type { ListDecisionsRequestSchema } from "@remit/proto/admin";
import type { Clients } from "./clients.ts";
import { type PageOf, pagesOf } from "./pages.ts";

/** What a list shows of a decision. */
export interface ListedDecision {
  readonly id: string;
  readonly at: string;
  readonly tool: string;
  readonly agent: string;
  readonly effect: string;
  readonly code: string;
  /** policy/rule */
  readonly rules: readonly string[];
  /** What enforcement would have answered, where that is said. */
  readonly would: { readonly effect: string; readonly code: string; readonly rules: readonly string[] } | undefined;
  /** What the side answers that did not decide, where that differs: what is tried, or what is in force. */
  readonly other: { readonly effect: string; readonly tried: boolean } | undefined;
}

/** What the side answers that did not decide, while versions were tried. */
function otherSide({ rollout }: JsonObject): ListedDecision["other"] {
  const { other, side } = object(rollout);
  return other === undefined ? undefined : { effect: text(object(other).effect), tried: side !== "candidate" };
}

const PAGE = 100;

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");

function answered({ effect, reason, rules }: JsonObject) {
  const named = Array.isArray(rules) ? rules.map(object) : [];
  return {
    effect: text(effect),
    code: text(object(reason).code),
    rules: named.map(({ policy, rule }) => `${text(policy)}/${text(rule)}`),
  };
}

/** Reads the body of a decision's entry. What is not there is empty. */
function listedDecision(body: JsonObject): ListedDecision {
  const { id, at, tool, agent, would } = body;
  return {
    ...{ id: text(id), at: text(at), tool: text(tool), agent: text(object(agent).id) },
    ...answered(body),
    would: would === undefined ? undefined : answered(object(would)),
    other: otherSide(body),
  };
}

/** Decisions page by page, the newest first, at most `limit` of them. */
export async function* readDecisions(
  ledger: Clients["ledger"],
  query: MessageInitShape<typeof ListDecisionsRequestSchema>,
  limit: number,
): AsyncGenerator<{ readonly entry: JsonObject; readonly decision: ListedDecision }> {
  let left = limit;
  const ask = ({ pageToken }: PageOf) => ledger.listDecisions({ ...query, pageSize: Math.min(PAGE, left), pageToken });
  for await (const page of pagesOf(ask)) {
    for (const { id, body = {}, erased } of page.decisions) {
      const decision = listedDecision(body);
      yield { entry: body, decision: erased ? { ...decision, id, effect: "erased" } : decision };
    }
    left -= page.decisions.length;
    if (left <= 0) break;
  }
}
