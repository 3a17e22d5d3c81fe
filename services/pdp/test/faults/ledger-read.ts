import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { LedgerService } from "@remit/proto/admin";
import type { Client } from "pg";
import type { AccountRow, Entry, RecordRow } from "./books-audit.ts";
import type { Addresses } from "./fleet.ts";
import { bearer } from "./told.ts";

/** Every decision in the ledger, as its administrators see it. */
export async function readDecisions({ adminAddress }: Addresses, ownerKey: string): Promise<Entry[]> {
  const transport = createConnectTransport({ baseUrl: `http://${adminAddress}`, httpVersion: "1.1" });
  const ledger = createClient(LedgerService, transport);
  const entries: Entry[] = [];
  for (let pageToken = ""; ; ) {
    const page = await ledger.listDecisions({ pageSize: 100, pageToken }, bearer(ownerKey));
    for (const { id, body } of page.decisions) {
      const { effect, call } = body as unknown as { effect: string; call: { id: string } };
      entries.push({ id, callId: call.id, allowed: effect === "allow" });
    }
    pageToken = page.nextPageToken;
    if (pageToken === "") return entries;
  }
}

const bigints = (texts: readonly string[] | null) => (texts ?? []).map(BigInt);

/** Accounts as they stand. */
export async function readAccounts(client: Client): Promise<AccountRow[]> {
  const { rows } = await client.query<Record<string, string | null> & { hard: boolean }>(
    `select a.id::text, coalesce(a.budget, 'session:' || a.session) as budget, a.key, coalesce(b.hard, a.hard) as hard, a.ceiling::text, a.held::text,
        a.posted::text, a.overage::text, coalesce(a.own_limit, b.limit_micros, 0)::text as most
      from account a left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series`,
  );
  return rows.map(({ id, budget, key, hard, most, ceiling, held, posted, overage }) => ({
    ...{ id: id ?? "", budget: budget ?? "", key: key ?? "", hard },
    ...{ limit: BigInt(most ?? 0), ceiling: BigInt(ceiling ?? 0), held: BigInt(held ?? 0) },
    ...{ posted: BigInt(posted ?? 0), overage: BigInt(overage ?? 0) },
  }));
}

/** What every record that charges did. */
export async function readMoves(client: Client): Promise<RecordRow[]> {
  const { rows } = await client.query<Record<"id" | "kind", string> & Record<string, string[] | string | null>>(
    `select id::text, kind, subject::text, accounts::text[], held::text[], posted::text[], overage::text[]
      from record where accounts is not null`,
  );
  const list = (value: string[] | string | null | undefined) => (Array.isArray(value) ? value : null);
  return rows.map(({ id, kind, subject, accounts, held, posted, overage }) => ({
    ...{ id, kind, subject: typeof subject === "string" ? subject : null, accounts: list(accounts) ?? [] },
    ...{ held: bigints(list(held)), posted: bigints(list(posted)), overage: bigints(list(overage)) },
  }));
}
