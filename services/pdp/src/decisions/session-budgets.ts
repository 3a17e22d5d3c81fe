import type { BudgetDocument } from "@remit/engine";
import { Fault, invalid } from "../foundation/fault.ts";
import type { Session } from "../identities/index.ts";
import type { Snapshot } from "../policies/index.ts";

/** Whether calls of a session can be charged to a budget: it is of somebody else, or of what the session is part of. */
function reaches({ agents }: Snapshot, { spec }: BudgetDocument, { agent, principal }: Session): boolean {
  const { owner } = spec;
  if (typeof owner === "string" || "tool" in owner) return true;
  if ("agent" in owner) return owner.agent === agent;
  if ("principal" in owner) return owner.principal === principal.id;
  return agents.get(agent)?.spec.labels?.team === owner.team;
}

/**
 * Refuses to open a session that counts on budgets which would not stop it. Each must be declared, hard, and cover the
 * session or calls of it; a budget of a tool covers the calls of that tool alone.
 */
export function requireBudgets(snapshot: Snapshot, session: Session, names: readonly string[]): void {
  for (const [at, name] of names.entries()) {
    const field = `budgets[${at}]`;
    const document = snapshot.budgets.get(name)?.document;
    if (!document) {
      throw new Fault("missing", "budget_unknown", `no budget ${name} is declared`, {
        field,
        fix: "declare it, or leave its name out: budgets that cover the session bind it without being named",
      });
    }
    if (document.spec.enforcement !== "hard") {
      throw invalid(field, `the budget ${name} is soft: it would stop nothing`, {
        fix: "make it hard, or leave it out",
      });
    }
    if (!reaches(snapshot, document, session)) {
      throw invalid(field, `the budget ${name} covers no call of this session`, {
        fix: "name budgets of the tenant, of sessions, of tools, or of this agent, its team or this principal",
      });
    }
  }
}
