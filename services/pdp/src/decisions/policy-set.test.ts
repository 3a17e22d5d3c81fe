import type { PolicyDocument } from "@remit/engine";
import { expect, test } from "vitest";
import { limits } from "../foundation/limits.ts";
import { refuseTooMany } from "./policy-set.ts";

const settings = { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" } as const;
const now = { settings } as unknown as Parameters<typeof refuseTooMany>[0];

const policies = (count: number, language: "native" | "rego") =>
  Array.from({ length: count }, (_, at) => {
    const document = { metadata: { name: `p${at}` }, spec: { mode: "enforce", language, rules: [] } };
    return { document: document as unknown as PolicyDocument };
  });

test("more policies in Rego than a tenant may have are refused, and fewer of too many are not", () => {
  const max = limits.regoPoliciesMax;
  expect(() => refuseTooMany(now, [], policies(max, "rego"))).not.toThrow();
  expect(() => refuseTooMany(now, [], policies(max + 1, "rego"))).toThrow(
    expect.objectContaining({
      kind: "exhausted",
      reason: "quota_exceeded",
      detail: expect.objectContaining({ limit: "64 policies in Rego" }),
      retryable: false,
    }),
  );
  expect(() => refuseTooMany(now, policies(max + 2, "rego"), policies(max + 1, "rego"))).not.toThrow();
  expect(() => refuseTooMany(now, [], policies(max + 1, "native"))).not.toThrow();
});

test("more policies than a tenant may have are refused, and fewer of too many are not", () => {
  const max = limits.policiesMax;
  expect(() => refuseTooMany(now, [], policies(max, "native"))).not.toThrow();
  expect(() => refuseTooMany(now, [], policies(max + 1, "native"))).toThrow(
    expect.objectContaining({
      kind: "exhausted",
      reason: "quota_exceeded",
      detail: expect.objectContaining({ limit: "1000 policies" }),
      retryable: false,
    }),
  );
  expect(() => refuseTooMany(now, policies(max + 2, "native"), policies(max + 1, "native"))).not.toThrow();
});
