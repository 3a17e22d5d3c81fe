import { expect, test } from "vitest";
import type { Evidence } from "./evidence.ts";
import { type Binding, rightsOf } from "./trust.ts";

const evidence = (own: Partial<Evidence> = {}): Evidence => ({
  ...{ tenant: "t", kind: "jwt", source: "cluster", issuer: "https://kubernetes.example" },
  ...{ subject: "system:serviceaccount:prod:clerk", groups: ["clerks"], expiresAtMs: 1 },
  ...own,
});
const binding = (own: Partial<Binding> = {}): Binding => ({
  ...{ name: "b", issuer: "cluster", subject: undefined, group: undefined, agents: ["clerk"] },
  ...{ mayAssertPrincipals: false, roles: [] },
  ...own,
});

test("whoever no binding means has no rights at all, and no right is another's", () => {
  expect(rightsOf({ bindings: [] }, evidence())).toBeUndefined();
  const bindings = [
    binding({ subject: "system:serviceaccount:dev:*" }),
    binding({ group: "auditors" }),
    binding({ issuer: "other", subject: "**" }),
    binding({ subject: "**", group: "auditors" }),
  ];
  expect(rightsOf({ bindings }, evidence())).toBeUndefined();
});

test("the bindings that match give their rights together", () => {
  const bindings = [
    binding({ subject: "system:serviceaccount:prod:*", agents: ["clerk", "porter"] }),
    binding({ group: "clerks", agents: ["clerk"], mayAssertPrincipals: true, roles: ["viewer"] }),
    binding({ group: "auditors", roles: ["owner"] }),
  ];
  expect(rightsOf({ bindings }, evidence())).toEqual({
    ...{ agents: ["clerk", "porter"], mayAssertPrincipals: true, roles: ["viewer"] },
  });
});

test("a group is compared as it is written: no glob, no other case", () => {
  const bindings = [binding({ group: "*" }), binding({ group: "Clerks" })];
  expect(rightsOf({ bindings }, evidence())).toBeUndefined();
  expect(rightsOf({ bindings }, evidence({ groups: ["*"] }))).toBeDefined();
});

test("a binding that names nobody means nobody", () => {
  expect(rightsOf({ bindings: [binding()] }, evidence())).toBeUndefined();
});
