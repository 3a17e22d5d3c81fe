import { DECLARED, type Given, MOVED, SESSIONS } from "./product.ts";
import type { AccountRow } from "./store-model.ts";

interface Call {
  readonly call: string;
  readonly session: string;
  readonly shop: string;
}

/** The sessions of a chain, the root first. */
export const chainOf = (session: string): readonly string[] => SESSIONS.slice(0, SESSIONS.indexOf(session) + 1);

/** What all sessions above a call were given, and nobody else, is charged. */
function givenFaults({ call, session }: Call, accounts: ReadonlySet<bigint>, given: Given): string[] {
  const chain = chainOf(session);
  return [...given].flatMap(([of, { account }]) => {
    if (chain.includes(of) === accounts.has(account)) return [];
    const how = chain.includes(of) ? "is not held of" : "is held of";
    return [`${call} ${how} ${of}, which it ${chain.includes(of) ? "descends" : "does not descend"} from`];
  });
}

/**
 * What is wrong with the accounts that a call is charged to, by what it is a call of. `effect`: what was decided, since
 * what is charged is what runs.
 */
export function accountFaults(
  call: Call,
  effect: string | undefined,
  charged: Iterable<AccountRow>,
  given: Given,
): readonly string[] {
  const accounts = [...charged];
  const wrong = givenFaults(call, new Set(accounts.map(({ id }) => id)), given);
  const shop = effect === "transform" && call.shop === MOVED.from ? MOVED.to : call.shop;
  for (const { name, per, bySession } of DECLARED) {
    const own = accounts.filter(({ budget }) => budget === name);
    if (per?.startsWith("input.") && own.some(({ key }) => !key.includes(shop))) {
      wrong.push(`${call.call} of ${shop} is held of the account of ${own[0]?.key}`);
    }
    if (!bySession || own.length === 0) continue;
    const sessions = own.map(({ key }) => (JSON.parse(key) as { readonly session: string }).session);
    const chain = chainOf(call.session);
    if (sessions.toSorted().join() === chain.toSorted().join()) continue;
    wrong.push(`${call.call} is held of ${name} of ${sessions.join(" and ")}, and comes from ${chain.join(" and ")}`);
  }
  return wrong;
}
