import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PolicyChoiceSchema } from "@remit/proto/admin";
import { usage } from "./stop.ts";

/** A policy as people name it: `payments`, or `payments@3` for one version. */
export function policyChoice(text: string): MessageInitShape<typeof PolicyChoiceSchema> {
  const [, policy, version] = /^([^@\s]+)(?:@([1-9][0-9]{0,8}))?$/.exec(text) ?? [];
  if (policy === undefined)
    throw usage(`not a policy: ${JSON.stringify(text)}`, "write payments, or payments@3 for one version");
  return { policy, version: Number(version ?? 0) };
}

/** The revision that a change is to be made at; 0, on the wire, does not ask, and so nobody may mean it. */
export function expectedRevision(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  if (!/^[0-9]{1,18}$/.test(text)) throw usage("--expected-revision takes a whole number");
  if (BigInt(text) === 0n) {
    throw usage(
      "--expected-revision takes a revision from 1",
      "at 0 nothing was ever changed: leave it out, or ask again",
    );
  }
  return BigInt(text);
}

/** Per cent, with at most two digits after the point, as basis points. */
export function percent(text: string): number {
  const [, whole, part = ""] = /^([0-9]{1,3})(?:\.([0-9]{1,2}))?$/.exec(text) ?? [];
  const basisPoints = Number(whole) * 100 + Number(part.padEnd(2, "0"));
  if (whole === undefined || basisPoints > 10_000) {
    throw usage(`--percent takes a number from 0 to 100, with at most two digits after the point, got ${text}`);
  }
  return basisPoints;
}

/** Basis points as people write them. */
export const percentText = (basisPoints: number): string => `${basisPoints / 100} %`;
