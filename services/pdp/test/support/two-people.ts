import { randomBytes, randomUUID } from "node:crypto";
import type pg from "pg";
import { createTestDatabase, withClient } from "./test-database.ts";

export const [ada, bob, cay, key] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
export const NEEDS = { code: "RM001" };
export const MOVED = { code: "RM002" };
export const REFUSED = { code: "RM003" };
export const DENIED = { code: "42501" };

const allowAll = JSON.stringify({ spec: { rules: [{ id: "a", effect: "allow", match: {} }] } });
const denies = JSON.stringify({ spec: { rules: [{ id: "d", effect: "deny", match: {} }] } });
export const digest = randomBytes(32);

/** A database with a tenant that takes two people, `acme`, and one that takes one, `solo`, each with something of every kind. */
export async function createTwoPeople() {
  const database = await createTestDatabase();
  await withClient(database.superuserUrl, async (client) => {
    const run = (sql: string, values: unknown[] = []) => client.query(sql, values);
    await run("insert into tenant (id) values ('acme'), ('solo')");
    for (const [id, name, by] of [
      [ada, "ada", null],
      [bob, "bob", null],
      [cay, "cay", null],
      [key, "of-ada", ada],
    ]) {
      await run(
        `insert into caller (id, tenant, name, key_hash, roles, agents, created_by, revision)
         values ($1, 'acme', $2, $3, '{owner}', '{a,b}', $4, 0)`,
        [id, name, randomBytes(32), by],
      );
    }
    for (const tenant of ["acme", "solo"]) {
      for (const table of ["agent", "tool", "budget", "principal_group"]) {
        const document = { spec: { status: "active", limit: "100" } };
        await run(
          `insert into ${table} (tenant, name, document, source, digest, revision) values ($1, 'one', $2, '', $3, 0)`,
          [tenant, document, digest],
        );
      }
      await run(
        `insert into tool (tenant, name, document, source, digest, revision)
         values ($1, 'held', '{"spec": {"status": "suspended"}}', '', $2, 0), ($1, 'bound', '{"spec": {"mode": "enforce"}}', '', $2, 0)`,
        [tenant, digest],
      );
      for (const [policy, version, document] of [
        ["allows", 1, allowAll],
        ["allows", 2, allowAll],
        ["denies", 1, denies],
      ]) {
        await run(
          `insert into policy_version (tenant, policy, version, digest, document, source, rules)
           values ($1, $2, $3, $4, $5, '', 1)`,
          [tenant, policy, version, randomBytes(32), document],
        );
      }
      await run(
        "insert into active_policy (tenant, policy, version, revision) values ($1, 'allows', 1, 0), ($1, 'denies', 1, 0)",
        [tenant],
      );
    }
    await run("update tenant set people = 2 where id = 'acme'");
  });

  /** Runs in one transaction of the service's role; keeps it when `keep` says so. */
  const within = async <Answer>(work: (client: pg.Client) => Promise<Answer>, keep = false): Promise<Answer> => {
    return withClient(database.runtimeUrl, async (client) => {
      await client.query("begin");
      const answer = await work(client);
      // What is checked at the end of a transaction is checked here.
      await client.query("set constraints all immediate");
      await client.query(keep ? "commit" : "rollback");
      return answer;
    });
  };
  const one = (sql: string) => within((client) => client.query(sql));
  return { within, one, superuserUrl: database.superuserUrl, drop: database.drop };
}
