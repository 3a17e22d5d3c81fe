import { Agent, request } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { idPlaceholder } from "../http2/prepared.ts";
import type { Target } from "./target.ts";

/** What an answer must say: of an object the fields that are named, of a list as many items, of anything else the same. */
export type Expected = { readonly [field: string]: Expected } | readonly Expected[] | string | number | boolean;

/** One JSON request of a call. */
export interface Step {
  /** Ids and what the step before took are put in place of their placeholders, here and in the body. */
  readonly path: string;
  readonly body: string;
  readonly expect: Expected;
  /** The field of the answer, a text, that the next step names. */
  readonly take?: string;
}

/** A call of several steps, one after the other; it is answered when the last one is. */
export interface SteppedCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

export interface StepsOptions {
  readonly host: string;
  readonly port: number;
  /** Made in turn. */
  readonly calls: readonly SteppedCall[];
  readonly idPrefix: string;
}

/** Stands for what the step before took from its answer. */
export const takenPlaceholder = "@taken@";

const shownCharsMax = 300;

/** Whether an answer says what it must. */
export function says(found: unknown, expected: Expected): boolean {
  if (typeof expected !== "object") return isDeepStrictEqual(found, expected);
  if (typeof found !== "object" || found === null) return false;
  if (Array.isArray(expected)) {
    return (
      Array.isArray(found) && found.length === expected.length && expected.every((one, at) => says(found[at], one))
    );
  }
  return Object.entries(expected).every(([field, value]) => says((found as Record<string, unknown>)[field], value));
}

/**
 * Calls in JSON over HTTP/1.1 by Node's own client, on connections that are kept. Every answer is read whole and must say
 * what its step expects, else the call has failed.
 */
export function openSteps({ host, port, calls, idPrefix }: StepsOptions): Target {
  const agent = new Agent({ keepAlive: true });
  const post = (path: string, headers: Readonly<Record<string, string>>, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const length = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const asked = request(
        { host, port, path, method: "POST", agent, headers: { ...headers, ...length } },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.once("error", reject);
          answer.once("end", () => {
            const text = Buffer.concat(parts).toString("utf8");
            if (answer.statusCode === 200) resolve(text);
            else reject(new Error(`${answer.statusCode}: ${text.slice(0, shownCharsMax)}`));
          });
        },
      );
      asked.once("error", reject);
      asked.end(body);
    });

  const make = async ({ headers, steps }: SteppedCall, id: string): Promise<void> => {
    let taken = "";
    for (const { path, body, expect, take } of steps) {
      const filled = (text: string) => text.replaceAll(idPlaceholder, id).replaceAll(takenPlaceholder, taken);
      const text = await post(filled(path), headers, filled(body));
      const answer: unknown = JSON.parse(text);
      if (!says(answer, expect)) throw new Error(`not what is expected: ${text.slice(0, shownCharsMax)}`);
      if (take !== undefined) taken = String((answer as Record<string, unknown>)[take]);
    }
  };
  let made = 0;
  return {
    lost: new Promise<never>(() => {}),
    problems: () => ({}),
    close: () => agent.destroy(),
    call(done) {
      const call = calls[made % calls.length];
      if (call === undefined) throw new Error("nothing to send");
      made += 1;
      make(call, `${idPrefix}-${made}`).then(
        () => done(),
        (error: unknown) => done(error instanceof Error ? error.message : String(error)),
      );
    },
  };
}
