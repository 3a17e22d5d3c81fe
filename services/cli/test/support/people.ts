import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type House, startHouse } from "../../../pdp/test/support/pdp.ts";
import type { Io } from "../../src/cli.ts";
import { fakeIo } from "../../src/fake-io.ts";
import { run } from "../../src/run.ts";
import { CLIENT, startIssuer, type TestIssuer } from "./issuer.ts";
import { createUserAgent } from "./user-agent.ts";

/** A service that lets an issuer's people in, and command lines of theirs. */
export interface Office extends AsyncDisposable {
  readonly house: House;
  readonly issuer: TestIssuer;
  readonly owner: { readonly headers: { readonly authorization: string } };
  /** Runs one command in this process. `when` hears every line that it says, as it says it. */
  remit(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Logs a person in by the browser; `steer` may go elsewhere than the issuer sends the browser. */
  logIn(
    person: string,
    options?: RunOptions & { readonly steer?: Steer; readonly args?: readonly string[] },
  ): Promise<Ran>;
  readonly configDir: string;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly when?: (line: string) => void;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Brings the issuer's answer to the command line: given where the browser is sent, and the page it began at. */
export type Steer = (answer: URL, began: string) => Promise<void>;

const straight: Steer = async (answer) => {
  await fetch(answer);
};

const isAnswer = (url: URL) => url.pathname === "/callback";

export async function openOffice(): Promise<Office> {
  const issuer = await startIssuer();
  const house = await startHouse();
  const configDir = await mkdtemp(join(tmpdir(), "remit-login-"));
  const owner = { headers: { authorization: `Bearer ${house.ownerKey}` } };
  await house.clients.callers.putIssuer(
    {
      issuer: {
        ...{ name: "staff", profile: "oidc", use: "people", issuer: issuer.url, audiences: [CLIENT] },
        ...{ algorithms: ["ES256"], claims: { groups: "/realm_access/roles" }, tokenSecondsMax: 3600 },
      },
    },
    owner,
  );
  for (const [group, roles] of [
    ["engineers", ["viewer"]],
    ["policy-leads", ["policy-author", "policy-approver"]],
  ] as const) {
    const binding = { name: group, issuer: "staff", group, roles: [...roles] };
    await house.clients.callers.putBinding({ binding }, owner);
  }
  issuer.accounts.set("ada", { name: "Ada L", email: "ada@example.com", groups: ["engineers"] });
  issuer.accounts.set("bo", { name: "Bo M", email: "bo@example.com", groups: ["engineers", "policy-leads"] });
  issuer.accounts.set("eve", { name: "Eve", email: "eve@example.com", groups: ["guests"] });

  const remit: Office["remit"] = async (args, { env = {}, when } = {}) => {
    const base = {
      ...{ REMIT_ADMIN_ADDRESS: house.pdp.adminAddress, REMIT_ADDRESS: house.pdp.grpcAddress },
      REMIT_CONFIG_DIR: configDir,
    };
    const kept = fakeIo({ env: { ...base, ...env } });
    const io: Io = {
      ...kept,
      err: (line) => {
        kept.err(line);
        when?.(line);
      },
    };
    const code = await run(io, args);
    return { code, out: kept.outLines.join("\n"), err: kept.errLines.join("\n") };
  };
  return {
    house,
    issuer,
    owner,
    configDir,
    remit,
    async logIn(person, { steer = straight, args = [], ...options } = {}) {
      issuer.setPerson(person);
      let walked: Promise<void> = Promise.resolve();
      const when = (line: string) => {
        const [page] = /http:\/\/\S+\/auth\?\S+/.exec(line) ?? [];
        if (page === undefined) return;
        walked = createUserAgent()
          .follow(page, isAnswer)
          .then(({ url }) => steer(url, page));
      };
      const ran = await remit(["login", "--no-browser", "--timeout", "30s", ...args], { ...options, when });
      await walked;
      return ran;
    },
    async [Symbol.asyncDispose]() {
      await house.close();
      await issuer[Symbol.asyncDispose]();
      await rm(configDir, { recursive: true, force: true });
    },
  };
}
