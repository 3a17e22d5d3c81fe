import { nearestName } from "../documents/nearest.ts";
import { below } from "../documents/origin.ts";
import type { RuleWarning } from "./look.ts";

const prefix = "group:";

/** An approval that only a group may grant which nobody is in: it waits for ever. */
export const groupUndeclared: RuleWarning = ({ rule, pointer }, { known, report }) => {
  const { groups } = known;
  if (!groups || !rule.approval) return;
  for (const [index, approver] of rule.approval.approvers.entries()) {
    if (!approver.startsWith(prefix)) continue;
    const name = approver.slice(prefix.length);
    if (groups.has(name)) continue;
    const nearest = () => {
      const near = nearestName(name, groups);
      return near && prefix + near;
    };
    report(below(`${pointer}/approval/approvers`, index), `no group \`${name}\` is declared`, {
      ...{ code: "group_undeclared", severity: "warning" },
      expected: "a document of kind Group with that name",
      nearest,
    });
  }
};
