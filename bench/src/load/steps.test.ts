import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { idPlaceholder } from "../http2/prepared.ts";
import { openSteps, says, takenPlaceholder } from "./steps.ts";

test("an answer says what is expected of it when the fields that are named are the same", () => {
  const answer = { decision: "ALLOW", reserved: { amount: 5, unit: "EUR" }, scopes: [{ a: 1 }, { a: 2 }] };
  expect(says(answer, { decision: "ALLOW", reserved: { amount: 5 } })).toBe(true);
  expect(says(answer, { scopes: [{}, { a: 2 }] })).toBe(true);
  expect(says(answer, { scopes: [{}] })).toBe(false);
  expect(says(answer, { decision: "DENY" })).toBe(false);
  expect(says(answer, { reserved: { amount: 6 } })).toBe(false);
  expect(says(answer, { granted: true })).toBe(false);
  expect(says(null, { decision: "ALLOW" })).toBe(false);
});

test("each call has an id of its own, and its second step names what the first one answered", async () => {
  const heard: string[] = [];
  const sockets = new Set<unknown>();
  const server = createServer((asked, answer) => {
    sockets.add(asked.socket);
    asked.setEncoding("utf8");
    let body = "";
    asked.on("data", (text) => {
      body += text;
    });
    asked.on("end", () => {
      heard.push(`${asked.url} ${body}`);
      const { id } = JSON.parse(body);
      answer.end(JSON.stringify({ held: `of ${id}`, ok: asked.url === "/hold" || id === "of run-1" }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const target = openSteps({
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    idPrefix: "run",
    calls: [
      {
        headers: {},
        steps: [
          { path: "/hold", body: `{"id":"${idPlaceholder}"}`, expect: { ok: true }, take: "held" },
          { path: `/end/${idPlaceholder}`, body: `{"id":"${takenPlaceholder}"}`, expect: { ok: true } },
        ],
      },
    ],
  });
  const call = () => new Promise<string | undefined>((resolve) => target.call(resolve));
  expect(await call()).toBeUndefined();
  // The server answers the second call's second step otherwise than it must.
  expect(await call()).toContain("not what is expected");
  expect(heard).toEqual([
    '/hold {"id":"run-1"}',
    '/end/run-1 {"id":"of run-1"}',
    '/hold {"id":"run-2"}',
    '/end/run-2 {"id":"of run-2"}',
  ]);
  expect(sockets.size).toBe(1);
  target.close();
  server.close();
});
