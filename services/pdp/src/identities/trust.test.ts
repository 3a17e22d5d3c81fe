import { expect, test } from "vitest";
import type { Evidence } from "./evidence.ts";
import { type Binding, metBy } from "./trust.ts";

const evidence = (own: Partial<Evidence> = {}): Evidence => ({
  ...{ tenant: "t", kind: "jwt", source: "cluster", issuer: "https://kubernetes.example" },
  ...{ subject: "system:serviceaccount:prod:clerk", groups: ["clerks"], expiresAtMs: 1 },
  ...own,
});
const rightsOf = async (trust: Parameters<typeof metBy>[0], of: Evidence) =>
  (await metBy(trust, of, async () => {}))?.rights;
const binding = (own: Partial<Binding> = {}): Binding => ({
  ...{ name: "b", issuer: "cluster", subject: undefined, group: undefined, agents: ["clerk"] },
  ...{ mayAssertPrincipals: false, roles: [] },
  ...own,
});

test("whoever no binding means has no rights at all, and no right is another's", async () => {
  expect(await rightsOf({ bindings: [] }, evidence())).toBeUndefined();
  const bindings = [
    binding({ subject: "system:serviceaccount:dev:*" }),
    binding({ group: "auditors" }),
    binding({ issuer: "other", subject: "**" }),
    binding({ subject: "**", group: "auditors" }),
  ];
  expect(await rightsOf({ bindings }, evidence())).toBeUndefined();
});

test("the bindings that match give their rights together", async () => {
  const bindings = [
    binding({ subject: "system:serviceaccount:prod:*", agents: ["clerk", "porter"] }),
    binding({ group: "clerks", agents: ["clerk"], mayAssertPrincipals: true, roles: ["viewer"] }),
    binding({ group: "auditors", roles: ["owner"] }),
  ];
  expect(await rightsOf({ bindings }, evidence())).toEqual({
    ...{ agents: ["clerk", "porter"], mayAssertPrincipals: true, roles: ["viewer"] },
  });
});

test("a group is compared as it is written: no glob, no other case", async () => {
  const bindings = [binding({ group: "*" }), binding({ group: "Clerks" })];
  expect(await rightsOf({ bindings }, evidence())).toBeUndefined();
  expect(await rightsOf({ bindings }, evidence({ groups: ["*"] }))).toBeDefined();
});

test("a binding that names nobody means nobody", async () => {
  expect(await rightsOf({ bindings: [binding()] }, evidence())).toBeUndefined();
});

test("others are answered while a thousand bindings are compared, and what the same ones give is one object", async () => {
  const bindings = Array.from({ length: 1_000 }, (_, at) => binding({ name: `b${at}`, subject: "*a".repeat(200) }));
  const last = binding({ name: "last", subject: "**", agents: ["porter"] });
  let pauses = 0;
  const meet = () =>
    metBy({ bindings: all }, evidence({ subject: "b".repeat(500) }), async () => {
      pauses++;
    });
  const all = [...bindings, last];
  const met = await meet();
  expect(met).toEqual({
    rights: { agents: ["porter"], mayAssertPrincipals: false, roles: [] },
    bindings: ["last"],
  });
  expect(pauses).toBeGreaterThan(10);
  expect((await meet())?.rights).toBe(met?.rights);
});
