import { invalid } from "../../foundation/fault.ts";
import { quoted } from "../../foundation/quoted.ts";
import { ROLES, type Role } from "../../identities/index.ts";
import { boundedList } from "./fields.ts";

/** Roles by their names, each of which must be one. */
export function rolesFrom(names: readonly string[]): Role[] {
  return boundedList(names, "roles", ROLES.length).map((role, at) => {
    const known = ROLES.find((name) => name === role);
    if (known) return known;
    throw invalid(`roles[${at}]`, `there is no role ${quoted(role)}`, {
      fix: `choose from ${ROLES.join(", ")}`,
    });
  });
}
