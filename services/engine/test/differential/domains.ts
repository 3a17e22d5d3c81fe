import { addresses, commands, mails } from "./fields.ts";
import type { Random } from "./random.ts";

/*
 * What the functions for amounts, times, addresses and commands are asked: most about the facts of the call, with
 * values that programs read differently among them; some of it cannot be read at all.
 */

const quoted = (text: string) => JSON.stringify(text);
const signs = ["<", "<=", ">", ">=", "==", "!="];
const zones = ["UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"];
const otherZones = ["+02:00", "-05:30", "00:45", "Pacific/Kiritimati", "europe/berlin"];
const shares = ["0.0", "0.1", "0.2", "0.8", "0.9", "1.0"];
const ranges = [
  ...["10.0.0.0/8", "192.168.0.0/16", "10.0.0.7/32", "0.0.0.0/0", "::/0", "fd00::/8", "::ffff:0:0/96", "2002::/16"],
  ...["::ffff:10.0.0.0/104", "::1/128", "10.0.0.4/30"],
];

/** An amount. A strict one is unknown where what it reads is of another type than declared: `amount` takes several. */
function money(random: Random, strict: boolean, depth: number): string {
  const loose = strict ? 0 : 1;
  const inner = () => money(random, strict, depth - 1);
  return random.way([
    [4 * loose, () => 'amount(input.price, "EUR")'],
    [2 * loose, () => "amount(input.price, input.currency)"],
    [1.5 * loose, () => `amount(${random.pick(["input.amount", "input.count", "input.any", "input.to.n"])}, "EUR")`],
    [0.5 * loose, () => "amount(input.price)"],
    [3, () => "call.estimate.EUR"],
    [0.7, () => random.pick(['call.estimate["EUR"]', "call.estimate.USD", "call.estimate.tokens"])],
    [4, () => `budget.travel.${random.pick(["remaining", "remaining", "limit", "spent"])}`],
    [0.7, () => random.pick(['budget["team-travel"].remaining', "budget.none.limit", 'budget["travel"].spent'])],
    [depth > 0 ? 2 : 0, () => `(${inner()} ${random.pick(["+", "-"])} ${inner()})`],
    [depth > 0 ? 1 : 0, () => `(${inner()} * ${quantity(random, strict)})`],
    [depth > 0 ? 0.3 : 0, () => `(${quantity(random, strict)} * ${inner()})`],
    [depth > 0 ? 0.3 : 0, () => `(input.flag ? ${inner()} : ${inner()})`],
  ]);
}

/** How often an amount is taken: whole numbers, and what is none. */
function quantity(random: Random, strict: boolean): string {
  if (strict) return random.pick(["2", "3", "0", "-1", "2.0", "session.depth"]);
  return random.pick(["2", "3", "-1", "2.0", "2.5", "input.count", "input.amount", "input.to.n", "9000000000"]);
}

const fixedMoney = ["5", "5.00", "500", "0.25", "0.1", "5.01", "100", "2", "0", "2305843009213.693952"];
function literal(random: Random): string {
  return `amount(${quoted(random.pick(fixedMoney))}${random.chance(0.9) ? ', "EUR"' : ""})`;
}

export function moneyTest(random: Random, strict: boolean): string {
  const loose = strict ? 0 : 1;
  const one = () => money(random, strict, 1);
  return random.way([
    [4, () => `${one()} ${random.pick(signs)} ${literal(random)}`],
    [3, () => `${one()} ${random.pick(signs)} ${one()}`],
    [0.5, () => `${one()} in [${literal(random)}, ${literal(random)}]`],
    [0.5, () => `${one()} in [${literal(random)}, ${one()}]`],
    [2, () => `budget.travel.used ${random.pick(signs)} ${random.pick(shares)}`],
    [1.5, () => `agent.score ${random.pick(signs)} ${random.pick(["300", "450", "600.0", "850"])}`],
    [0.7 * loose, () => `"${random.pick(["EUR", "USD"])}" in call.estimate`],
    [0.3 * loose, () => "size(call.estimate) > 1"],
    [0.3 * loose, () => `call.estimate.${random.pick(["all", "exists"])}(u, u == "EUR")`],
    [0.2 * loose, () => `${one()} == input.any`],
  ]);
}

function zone(random: Random): string {
  // A zone that only the call names costs a tenth of what one evaluation may.
  return random.way([
    [20, () => quoted(random.pick(zones))],
    [4, () => quoted(random.pick(otherZones))],
    [1, () => "input.zone"],
  ]);
}

function time(random: Random): string {
  return random.way([
    [6, () => "now"],
    [1, () => 'now + duration("90s")'],
    [
      0.5,
      () => `timestamp("${random.pick(["1890-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2030-06-30T12:00:00Z"])}")`,
    ],
  ]);
}

export function timeNumber(random: Random): string {
  return `time.${random.pick(["weekday", "hours"])}(${time(random)}, ${zone(random)})`;
}

const hours = ["00:00", "01:00", "02:00", "03:00", "08:00", "09:00", "17:30", "22:00", "24:00"];

function timeTest(random: Random): string {
  const between = () => {
    const from = random.pick(hours);
    const to = random.chance(0.05) ? "input.text" : quoted(random.pick(hours));
    return `time.between(${time(random)}, ${quoted(from)}, ${to}, ${zone(random)})`;
  };
  return random.way([
    [3, between],
    [
      2,
      () => `time.weekday(${time(random)}, ${zone(random)}) ${random.pick(signs)} ${random.pick(["1", "5", "6", "7"])}`,
    ],
    [
      1.5,
      () =>
        `time.hours(${time(random)}, ${zone(random)}) ${random.pick(signs)} ${random.pick(["1", "2.5", "8.0", "17.5"])}`,
    ],
  ]);
}

function ipTest(random: Random): string {
  const address = () =>
    random.way([
      [7, () => "input.ip"],
      [1, () => "url.host(input.url)"],
      [0.5, () => quoted(random.pick(addresses))],
    ]);
  const range = () => quoted(random.pick(ranges));
  return random.way([
    [4, () => `ip.within(${address()}, ${range()})`],
    [2, () => `ip.within(${address()}, [${random.list(1, 3, range).join(", ")}])`],
    [0.1, () => `ip.within(${address()}, ${random.pick(["input.text", "input.ip", "[input.ip]"])})`],
  ]);
}

export function domainText(random: Random): string {
  return random.way([
    [2, () => `email.domain(${mail(random)})`],
    [1, () => `email.addresses(${mail(random)})[0]`],
    [2, () => `argv(${command(random)})[${random.pick(["0", "1", "2"])}]`],
  ]);
}

function mail(random: Random): string {
  return random.chance(0.9) ? "input.mail" : quoted(random.pick(mails));
}

function command(random: Random): string {
  return random.chance(0.9) ? "input.command" : quoted(random.pick(commands));
}

/** With a name for what a macro binds, or without macros. */
function mailTest(random: Random, name: string | undefined): string {
  const macro = () =>
    `email.addresses(${mail(random)}).${random.pick(["all", "exists"])}(${name}, email.domain(${name}) == "acme.com")`;
  return random.way([
    [name === undefined ? 0 : 4, macro],
    [2, () => `email.domain(${mail(random)}) == ${quoted(random.pick(["acme.com", "x.com"]))}`],
    [
      2,
      () => `${quoted(random.pick(["ada@acme.com", "a@acme.com", "evil@x.com"]))} in email.addresses(${mail(random)})`,
    ],
    [0.5, () => `size(email.addresses(${mail(random)})) > 1`],
    [0.2, () => 'email.addresses(input.tags) == ["ada"]'],
  ]);
}

function commandTest(random: Random, name: string | undefined): string {
  const macro = () => `argv(${command(random)}).${random.pick(["all", "exists"])}(${name}, ${name} != "push")`;
  return random.way([
    [3, () => `argv(${command(random)})[0] ${random.pick(['== "git"', 'in ["git", "ls"]'])}`],
    [
      1,
      () =>
        `argv(${command(random)})[1] ${random.pick(["==", "!="])} ${quoted(random.pick(["push", "a b", "status"]))}`,
    ],
    [1, () => `size(argv(${command(random)})) > ${random.pick(["1", "2"])}`],
    [name === undefined ? 0 : 1.5, macro],
    [0.7, () => `"push" in argv(${command(random)})`],
    [0.4, () => `argv(${command(random)}).join(" ") == "git a b"`],
  ]);
}

export function domainTest(random: Random, name: string | undefined): string {
  return random.way([
    [1.5, () => timeTest(random)],
    [1, () => ipTest(random)],
    [1, () => mailTest(random, name)],
    [1, () => commandTest(random, name)],
  ]);
}
