import { type ConnectRouter, createClient, createRouterTransport } from "@connectrpc/connect";
import { AgentService, Change, PolicyService, ToolService } from "@remit/proto/admin";
import { Problem_Severity } from "@remit/proto/common";
import { expect, test } from "vitest";
import type { Clients } from "./clients.ts";
import type { Document, DocumentKind } from "./document-files.ts";
import { applyDocuments } from "./publish.ts";

const document = (kind: DocumentKind, name: string): Document => ({ kind, name, file: `${name}.yaml`, text: name });
const documents = [document("policy", "payments"), document("agent", "clerk"), document("tool", "pay")];
const live = { dryRun: false, strict: false, activate: true };

interface Script {
  toolProblem?: boolean;
  /** What publishing answers for the policy. */
  version?: { created: boolean; state: string };
}

/** A service that answers as it is told, and what it was asked. */
function service({ toolProblem = false, version = { created: true, state: "validated" } }: Script = {}) {
  const asked: string[] = [];
  const routes = (router: ConnectRouter) => {
    router.service(ToolService, {
      putTool: ({ document: source, dryRun }) => {
        asked.push(`tool ${source?.text}${dryRun ? " dry" : ""}`);
        const problem = { file: "pay.yaml", line: 4, severity: Problem_Severity.ERROR, message: "unknown key `risks`" };
        return { change: Change.CREATED, revision: 2n, problems: toolProblem ? [problem] : [] };
      },
    });
    router.service(AgentService, {
      putAgent: ({ document: source }) => {
        asked.push(`agent ${source?.text}`);
        return { change: Change.NONE, revision: 0n };
      },
    });
    router.service(PolicyService, {
      publishPolicies: ({ files }) => {
        asked.push(`publish ${files.map(({ text }) => text).join(",")}`);
        return { versions: [{ policy: "payments", version: 3, ...version }] };
      },
      activatePolicies: ({ choices }) => {
        asked.push(`activate ${choices.map(({ policy, version: chosen }) => `${policy}@${chosen}`).join(",")}`);
        return { revision: 5n };
      },
    });
  };
  const transport = createRouterTransport(routes);
  const clients = {
    tool: createClient(ToolService, transport),
    agent: createClient(AgentService, transport),
    policy: createClient(PolicyService, transport),
  } as unknown as Clients;
  return { clients, asked };
}

test("tools come before agents before policies, which are put in force", async () => {
  const { clients, asked } = service();
  const result = await applyDocuments(clients, documents, live);
  expect(asked).toEqual(["tool pay", "agent clerk", "publish payments", "activate payments@3"]);
  expect(result.revision).toBe(5n);
  expect(result.applied).toEqual([
    { kind: "tool", name: "pay", change: "created" },
    { kind: "agent", name: "clerk", change: "unchanged" },
    { kind: "policy", name: "payments", version: 3, change: "activated" },
  ]);
});

test("a refused document stops the rest, and its problems are told", async () => {
  const { clients, asked } = service({ toolProblem: true });
  const result = await applyDocuments(clients, documents, live);
  expect(asked).toEqual(["tool pay"]);
  expect(result.problems).toMatchObject([{ file: "pay.yaml", line: 4, severity: "error" }]);
});

test("a policy that is in force with this content is left alone", async () => {
  const { clients, asked } = service({ version: { created: false, state: "active" } });
  const result = await applyDocuments(clients, [document("policy", "payments")], live);
  expect(asked).toEqual(["publish payments"]);
  expect(result.applied).toMatchObject([{ change: "unchanged" }]);
});

test("a policy that was published and never activated is put in force", async () => {
  const { clients, asked } = service({ version: { created: false, state: "superseded" } });
  await applyDocuments(clients, [document("policy", "payments")], live);
  expect(asked).toEqual(["publish payments", "activate payments@3"]);
});

test("a dry run says so and activates nothing; so does --no-activate", async () => {
  const dry = service();
  await applyDocuments(dry.clients, documents, { ...live, dryRun: true });
  expect(dry.asked).toEqual(["tool pay dry", "agent clerk", "publish payments"]);
  const idle = service();
  const result = await applyDocuments(idle.clients, documents, { ...live, activate: false });
  expect(idle.asked).not.toContain("activate payments@3");
  expect(result.applied[2]).toMatchObject({ change: "published" });
});
