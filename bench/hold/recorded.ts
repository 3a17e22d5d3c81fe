import { withTransaction } from "../../services/pdp/src/stores/database.ts";
import { changePolicies } from "../../services/pdp/src/stores/policy-changes.ts";
import { type Case, many, policy, rule } from "./catalogue.ts";
import { stored } from "./stored.ts";

const BY = "019a4f3e-0000-7000-8000-000000000000";
const CALLERS = `insert into caller (id, tenant, name, roles, kind, revision, key_hash) values
  ('${BY}', 't', 'ada', '{owner}', 'key', 1, decode(repeat('0e', 32), 'hex'))`;

/** A policy of so many rules, put into the store by the transaction that publishes it. */
const publishing = (name: string, message: string): Case => ({
  name: `publish: 10,000 rules and their document of 2 MB, ${name}`,
  make: () => {
    const { document } = policy(many(10_000, (n) => rule(n, { when: [`input.a < ${n}`], message })));
    const long = { document, source: JSON.stringify(document, null, 1) };
    const short = { document: { ...document, spec: { ...document.spec, rules: [] } }, source: "" };
    return stored(
      [CALLERS],
      (pool) => pool,
      (pool, tenant) => {
        // Who practises has written a short one.
        const one = tenant === "nobody" ? short : long;
        const policies = [{ ...one, digest: Buffer.alloc(32, tenant === "nobody" ? 1 : 2) }];
        const change = { kind: "policies_published", policies, by: BY, draft: false } as never;
        return withTransaction(pool, "read committed", (client) => changePolicies(client, "t", change, 1n));
      },
    );
  },
});

/** What the store is handed at its longest. */
export const recorded: readonly Case[] = [
  publishing("in ASCII", "n".repeat(30)),
  publishing("not in ASCII", `${"n".repeat(24)}—€`),
];
