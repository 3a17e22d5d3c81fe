import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeIo } from "../src/fake-io.ts";
import { run } from "../src/run.ts";
import { type Announced, type Running, serve, temporaryDirectory } from "./remit.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };

beforeAll(async () => {
  directory = await temporaryDirectory();
  service = await serve(directory.path);
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
});

/** `remit apply` of these documents, in this process. */
async function apply(documents: readonly string[], ...more: string[]) {
  const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
  const env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
  const io = fakeIo({ env });
  const file = join(directory.path, "documents.yaml");
  await writeFile(file, documents.join("\n---\n"));
  const code = await run(io, ["apply", "-f", file, ...more]);
  return { code, out: io.outLines.join("\n"), err: io.errLines.join("\n") };
}

const tool = (name: string, ...inputs: string[]) => `apiVersion: remit/v1
kind: Tool
metadata: { name: ${name} }
spec:
  risk: write
  inputSchema:
    type: object
    properties: { ${inputs.map((input) => `${input}: { type: string }`).join(", ")} }
    additionalProperties: false`;

const policy = (name: string, match: string, when: string) => `apiVersion: remit/v1
kind: Policy
metadata: { name: ${name} }
spec:
  rules:
    - id: a
      match: { tools: [${match}] }
      when: ${when}
      effect: escalate
      approval: { approvers: [group:leads] }`;

test("a dry run says of new tools and their policies what applying them says", async () => {
  const documents = [tool("pay.send", "to"), policy("payments", "pay.send", 'input.to != "me"')];
  const dry = await apply(documents, "--dry-run");
  expect(dry).toMatchObject({ code: 0, out: expect.stringMatching(/policy +payments +would be published/) });
  const done = await apply(documents);
  expect(done.code).toBe(0);
  // That nobody declared the group is true of both, and all there is to say.
  expect(done.err).toContain("no group `leads` is declared");
  expect(dry.err).toBe(done.err);
});

test("a dry run judges policies beside the tools as they will be, and all others", async () => {
  const unchanged = policy("payments", "pay.send", 'input.to != "me"');
  const documents = [tool("pay.send", "to", "memo"), unchanged, policy("memos", "pay.send", 'input.memo == ""')];
  const dry = await apply(documents, "--dry-run");
  expect(dry.err).toContain("0 errors, 2 warnings");
  expect(dry.out).toMatch(/tool +pay\.send +would be changed/);
  expect(dry.out).toMatch(/policy +memos +would be published/);
  expect(dry.out).toMatch(/policy +payments +version 1, unchanged/);
  expect((await apply([tool("pay.send", "to", "memo")])).code).toBe(0);
  // Beside the tool that is registered and in none of the files, too.
  const beside = [tool("pay.back", "to"), policy("notes", "pay.send", 'input.note == ""')];
  for (const more of [["--dry-run"], []]) {
    const refused = await apply(beside, ...more);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining("the input of pay.send has no `input.note`"),
    });
  }
});
