import type { GroupDocument } from "./group.ts";
import { below } from "./origin.ts";
import { groupMetadata, identityText } from "./read-names.ts";
import { readScope } from "./read-scope.ts";
import { listOf, oneOf, optional, type Reader, record, refined, required } from "./shape.ts";

const groupShape = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["Group"])),
  metadata: required(groupMetadata),
  spec: required(record({ members: required(listOf(identityText, 1, 1000)), ceiling: optional(readScope) })),
});

export const readGroup: Reader<GroupDocument> = refined(groupShape, (group, _value, pointer, report) => {
  const seen = new Set<string>();
  let whole = true;
  for (const [index, member] of group.spec.members.entries()) {
    if (seen.has(member)) {
      report(below(`${pointer}/spec/members`, index), `\`${member}\` is given twice`, { code: "given_twice" });
      whole = false;
    }
    seen.add(member);
  }
  return whole ? group : undefined;
});
