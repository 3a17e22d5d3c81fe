import { evaluationStepsMax } from "../cel/frame.ts";
import type { Compiled } from "../compile/compile.ts";
import { costProblem } from "../judge/charges.ts";
import { aboveMaximum } from "../judge/evaluate.ts";
import type { Facts } from "../judge/facts.ts";
import { exceededScope } from "../judge/scope.ts";

/** What a call must pass before any rule is asked, in this order. */
const checkNames = ["registered", "active", "schema", "input", "context", "estimate", "scope"] as const;

export interface ExplainedCheck {
  readonly name: (typeof checkNames)[number];
  /** `none`: nothing is asked, for example by a tool without an input schema. */
  readonly outcome: "passed" | "refused" | "notReached" | "none";
  readonly detail?: string;
}

type Found = Pick<ExplainedCheck, "outcome" | "detail">;

const passed: Found = { outcome: "passed" };
const refused = (detail: string): Found => ({ outcome: "refused", detail });

/** How a call came through what is asked before the rules. */
export function explainChecks(compiled: Compiled, facts: Facts): ExplainedCheck[] {
  let over = false;
  return checkNames.map((name) => {
    if (over) return { name, outcome: "notReached" };
    const found = check(name, compiled, facts);
    over = found.outcome === "refused";
    return { name, ...found };
  });
}

function check(name: ExplainedCheck["name"], compiled: Compiled, facts: Facts): Found {
  const tool = compiled.tools.get(facts.call.tool);
  if (!tool) return refused(`no tool is registered as ${facts.call.tool}`);
  const { schemaDigest } = facts.call;
  switch (name) {
    case "registered":
      return passed;
    case "active":
      return tool.suspended ? refused("the tool is suspended") : passed;
    case "schema":
      if (schemaDigest === undefined) return { outcome: "none" };
      return schemaDigest === tool.schemaDigest || schemaDigest === tool.offeredSchema
        ? passed
        : refused("the caller goes by another schema");
    case "input":
      return fit(tool.checkInput, facts.input);
    case "context":
      return fit(tool.checkContext, facts.context);
    case "estimate": {
      const unknown = costProblem(tool, facts.input);
      if (unknown) return refused(unknown.detail);
      const above = aboveMaximum(tool, facts.call.estimate);
      if (above) return refused(`${above.cost} is more than one call may cost`);
      return tool.maximum || tool.costs.computed ? passed : { outcome: "none" };
    }
    default: {
      const call = {
        ...{ tool: tool.facts.name, toolLabels: tool.facts.labels, input: facts.input },
        ...{ principal: facts.principal.id, now: facts.now },
      };
      const excess = exceededScope(facts.scopes, call, { steps: evaluationStepsMax }, facts.scopesRead);
      return excess ? refused(excess.detail) : passed;
    }
  }
}

function fit<T>(schema: ((value: T) => { path: string; message: string } | undefined) | undefined, value: T): Found {
  if (!schema) return { outcome: "none" };
  const problem = schema(value);
  return problem ? refused(`${problem.path} ${problem.message}`) : passed;
}
