// What a service does that has no better idea: a transaction a call, which locks the rows of its four budgets, looks, adds
// and records. It judges nothing, and its entries are as long as those it is compared with. Prints its port once it serves.
import { randomBytes, randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import {
  DecideRequestSchema,
  DecideResponseSchema,
  ExchangeRequestSchema,
  ExchangeResponseSchema,
} from "@remit/proto/decision";
import pg from "pg";
import { startEmbedded } from "../../../services/pdp/src/stores/embedded.ts";
import { cannedDecision } from "../../src/echo/messages.ts";

const [entryBytes = 2_000, connections = 16] = process.argv.slice(2).map(Number);
const budgets = ["1", "2", "3", "4"];

const tables = `
create table budget (id bigint primary key, most bigint not null, held bigint not null default 0) with (fillfactor = 50);
insert into budget (id, most) select id, 1000000000000000 from generate_series(1, 4) id;
create table entry (id uuid primary key, call text not null, at timestamptz not null default now(), body bytea not null);
alter table entry alter column body set storage external`;

const look = {
  name: "look",
  text: "select id, most - held as free from budget where id = any($1::bigint[]) order by id for update",
  values: [budgets],
};
const hold = {
  name: "hold",
  text: "update budget set held = held + 1000000 where id = any($1::bigint[])",
  values: [budgets],
};
const record = { name: "record", text: "insert into entry (id, call, body) values ($1, $2, $3)" };

const postgres = await startEmbedded({ durable: true });
const setUp = new pg.Client({ connectionString: postgres.ownerUrl });
await setUp.connect();
await setUp.query(tables);
await setUp.end();
const pool = new pg.Pool({ connectionString: postgres.ownerUrl, max: connections });
const body = randomBytes(entryBytes);

async function decideLocked(callId: string): Promise<string> {
  const client = await pool.connect();
  const id = randomUUID();
  try {
    await client.query("begin");
    const { rows } = await client.query<{ free: string }>(look);
    if (rows.length !== budgets.length || rows.some(({ free }) => BigInt(free) < 1_000_000n))
      throw new Error("exhausted");
    await client.query(hold);
    await client.query({ ...record, values: [id, callId, body] });
    await client.query("commit");
    return id;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

const identity = (bytes: Buffer) => bytes;
const bytes = {
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
} as const;
const service: ServiceDefinition = {
  decide: { path: "/remit.v1.DecisionService/Decide", requestStream: false, responseStream: false, ...bytes },
  exchange: { path: "/remit.v1.DecisionService/Exchange", requestStream: true, responseStream: true, ...bytes },
};

const decided = async (callId: string) =>
  create(DecideResponseSchema, { ...cannedDecision(), decisionId: await decideLocked(callId) });

const decide: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
  decided(fromBinary(DecideRequestSchema, call.request).callId).then(
    (decision) => answer(null, Buffer.from(toBinary(DecideResponseSchema, decision))),
    (error: unknown) => answer({ code: status.UNAVAILABLE, details: String(error) }),
  );
};

// Frames are answered as they are done, in any order, as the service does.
const exchange: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  const write = (answer: Parameters<typeof create<typeof ExchangeResponseSchema>>[1]) =>
    call.write(Buffer.from(toBinary(ExchangeResponseSchema, create(ExchangeResponseSchema, answer))));
  call.on("data", (frameBytes: Buffer) => {
    const { frame, body } = fromBinary(ExchangeRequestSchema, frameBytes);
    if (body.case !== "decide") {
      write({ frame, body: { case: "attached", value: { handle: 1 } } });
      return;
    }
    decided(body.value.call?.callId ?? "").then(
      (value) => write({ frame, body: { case: "decided", value } }),
      (error: unknown) => call.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  call.on("end", () => call.end());
};

const server = new Server();
server.addService(service, { decide, exchange });
const port = await new Promise<AddressInfo["port"]>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
process.stdout.write(`${JSON.stringify({ grpcPort: port })}\n`);
process.once("SIGTERM", async () => {
  server.forceShutdown();
  await pool.end();
  await postgres.stop();
});
