import { domainTest, domainText, moneyTest, timeNumber } from "./domains.ts";
import { paths, urls, words } from "./fields.ts";
import type { Random } from "./random.ts";

/** What expressions may read: the variables of their policy by type, and what macros bind around them. */
export interface Scope {
  readonly random: Random;
  readonly variables: Readonly<Record<"bool" | "number" | "text", readonly string[]>>;
  readonly bound: { readonly number?: string; readonly text?: string; readonly item?: string };
  /** Macros may stand one inside another, no deeper. */
  readonly macros: number;
  /** Only expressions that are unknown where what they read is missing or of another type: nothing asks about that. */
  readonly strict?: boolean;
}

const quoted = (text: string) => JSON.stringify(text);
const clocks = ["2026-03-02T10:00:00Z", "2025-12-31T23:59:59Z", "2026-07-04T06:30:00Z"];
const offsets = ["", '"+02:00"', '"-05:30"', '"UTC"', '"Europe/Berlin"', '"America/St_Johns"'];
const patterns = ["^[A-Z]{2}$", "a", "^$", "[0-9]+", "^(rent|tax)$", "e.t"];

/** A number: ints and doubles mixed, now and then one that cannot be computed. */
export function number(scope: Scope, depth: number): string {
  const { random, variables, bound } = scope;
  const loose = scope.strict ? 0 : 1;
  const inner = () => number(scope, depth - 1);
  const leaf = () =>
    random.way([
      [4, () => random.pick(["input.amount", "input.count", "input.to.n", "input.to.k"])],
      [2, () => random.pick(["0", "1", "2", "3", "2.5", "5.0", "500.0", "7", "-1", "0.5", "1.5"])],
      [1, () => random.pick(["session.depth", "session.calls", "call.attempt", "agent.score"])],
      [0.7, () => random.pick(["agent.score", "budget.travel.used"])],
      [1, () => random.pick(["input.list[0]", "input.ids[1]", "input.items[0].price"])],
      [loose / 2, () => "input.any"],
      [loose, () => random.pick(["size(input.text)", "size(input.list)", "input.tags.size()", "size(input.to)"])],
      [3 * variables.number.length, () => `vars.${random.pick(variables.number)}`],
      [bound.number === undefined ? 0 : 4, () => bound.number ?? "0"],
    ]);
  if (depth <= 0) return leaf();
  return random.way([
    [5, leaf],
    [2, () => `(${inner()} ${random.pick(["+", "-", "*"])} ${inner()})`],
    [2, () => `(${inner()} ${random.pick(["/", "%"])} ${inner()})`],
    [0.3, () => `-(${inner()})`],
    [loose / 2, () => random.pick(["int", "double"]).concat(`(${inner()})`)],
    [0.5, () => timeNumber(random)],
    [0.4, () => `(${bool(scope, depth - 1)} ? ${inner()} : ${inner()})`],
    [
      0.4,
      () =>
        `now.${random.pick(["getHours", "getDayOfWeek", "getMonth", "getDate", "getMinutes"])}(${random.pick(offsets)})`,
    ],
  ]);
}

export function text(scope: Scope, depth: number): string {
  const { random, variables, bound } = scope;
  const loose = scope.strict ? 0 : 1;
  const inner = () => text(scope, depth - 1);
  const leaf = () =>
    random.way([
      [5, () => random.pick(["input.text", "input.memo", "input.to.country", "input.path", "input.url"])],
      [2, () => quoted(random.pick(words))],
      [
        2,
        () =>
          random.pick([
            "principal.id",
            "agent.id",
            "agent.labels.team",
            "session.labels.zone",
            "tool.name",
            "tool.server",
          ]),
      ],
      [1, () => random.pick(["input.tags[0]", "input.items[0].sku", "answers.memo", "context.user"])],
      [loose / 2, () => "input.any"],
      [
        1,
        () => random.pick(["tool.risk", "call.tool", "session.purpose", "caller.name", "agent.owner", 'input["text"]']),
      ],
      [3 * variables.text.length, () => `vars.${random.pick(variables.text)}`],
      [bound.text === undefined ? 0 : 4, () => bound.text ?? ""],
      [bound.item === undefined ? 0 : 2, () => `${bound.item}.sku`],
    ]);
  if (depth <= 0) return leaf();
  return random.way([
    [6, leaf],
    [1, () => `(${inner()} + ${inner()})`],
    [1, () => `(${inner()}).${random.pick(["lowerAscii()", "upperAscii()", "trim()"])}`],
    [0.6, () => `path.base(${pathText(scope)})`],
    [0.6, () => `path.join(${quoted(random.pick(["/workspace", "/a/b"]))}, ${pathText(scope)})`],
    [0.8, () => `url.${random.pick(["host", "scheme", "path"])}(${urlText(scope)})`],
    [0.7, () => domainText(random)],
    [loose / 3, () => `string(${number(scope, depth - 1)})`],
    [0.3, () => `(${inner()}).split(",").join("-")`],
    [0.3, () => `input.tags.join(${quoted(random.pick(["", "+"]))})`],
    [0.3, () => `(${bool(scope, depth - 1)} ? ${inner()} : ${inner()})`],
  ]);
}

function pathText({ random }: Scope): string {
  return random.way([
    [4, () => "input.path"],
    [1, () => quoted(random.pick(paths))],
    [0.5, () => "input.text"],
  ]);
}

function urlText({ random }: Scope): string {
  return random.way([
    [4, () => "input.url"],
    [1, () => quoted(random.pick(urls))],
    [0.3, () => "input.text"],
  ]);
}

const signs = ["<", "<=", ">", ">=", "==", "!="];

function comparison(scope: Scope, depth: number): string {
  const { random } = scope;
  const loose = scope.strict ? 0 : 1;
  const times = () => random.pick(["now", `timestamp(${quoted(random.pick(clocks))})`, 'now + duration("90s")']);
  const spans = () => random.pick(["session.age", 'duration("5m")', 'duration("1h30m")', "now - now"]);
  return random.way([
    [5, () => `${number(scope, depth)} ${random.pick(signs)} ${number(scope, depth)}`],
    [4, () => `${text(scope, depth)} ${random.pick(["==", "!="])} ${text(scope, depth)}`],
    [0.5, () => `${text(scope, depth)} ${random.pick(signs)} ${text(scope, depth)}`],
    [0.7, () => `${times()} ${random.pick(signs)} ${times()}`],
    [0.7, () => `${spans()} ${random.pick(signs)} ${spans()}`],
    [
      loose / 2,
      () => `input.any ${random.pick(["==", "!="])} ${random.pick(["null", "true", "5", '"DE"', "[1]", '{"a": 1}'])}`,
    ],
    [
      0.3,
      () => `input.to ${random.pick(["==", "!="])} {"country": ${text(scope, 0)}, "n": ${number(scope, 0)}, "k": 2}`,
    ],
    [0.3, () => `input.list ${random.pick(["==", "!="])} [${number(scope, 0)}, 2, 3]`],
    [
      loose / 3,
      () => `type(input.any) == ${random.pick(["string", "int", "double", "list", "map", "null_type", "bool"])}`,
    ],
    [loose / 4, () => `type(${number(scope, 0)}) == ${random.pick(["int", "double"])}`],
  ]);
}

function textTest(scope: Scope, depth: number): string {
  const { random } = scope;
  return random.way([
    [2, () => `(${text(scope, depth)}).${random.pick(["startsWith", "endsWith", "contains"])}(${text(scope, 0)})`],
    [2, () => `(${text(scope, depth)}).matches(${quoted(random.pick(patterns))})`],
    [2, () => `path.within(${pathText(scope)}, ${quoted(random.pick(["/workspace", "/", "/workspace/b/.."]))})`],
    [1, () => `url.host(${urlText(scope)}) == "api.acme.com"`],
    [1, () => `url.host(${urlText(scope)}).endsWith(".acme.com")`],
  ]);
}

function membership(scope: Scope, depth: number): string {
  const { random } = scope;
  const loose = scope.strict ? 0 : 1;
  return random.way([
    [3, () => `${text(scope, depth)} in [${random.list(0, 3, () => quoted(random.pick(words))).join(", ")}]`],
    [2, () => `${number(scope, depth)} in ${random.pick(["input.list", "input.ids", "[1, 2.5, 7]"])}`],
    [2, () => `${text(scope, depth)} in input.tags`],
    [loose, () => `${quoted(random.pick(["untrusted", "zone"]))} in session.labels`],
    [1, () => `${text(scope, 0)} in {"DE": 1, "FR": 2}`],
    [loose / 2, () => `${text(scope, 0)} in [1, ${quoted(random.pick(words))}]`],
    [loose / 2, () => `input.any in ${random.pick(['["DE", 5]', '{"DE": true, 5: false}', "input.list", "input.to"])}`],
    [0.5, () => `{"DE": true, "FR": false}[${text(scope, 0)}]`],
  ]);
}

function presence({ random }: Scope): string {
  const paths = [
    "input.memo",
    "input.any",
    "input.to.country",
    "input.missing",
    "answers.memo",
    "context.user",
    "tool.server",
    "agent.score",
    "call.estimate.EUR",
    "budget.travel.limit",
    "budget.none.remaining",
    'budget["team-travel"].used',
  ];
  return random.way([
    [3, () => `present(${random.pick(paths)})`],
    [1, () => `has(${random.pick(paths)})`],
    [0.5, () => "present(session.labels.zone)"],
  ]);
}

function macro(scope: Scope, depth: number): string {
  const { random, macros } = scope;
  const loose = scope.strict ? 0 : 1;
  const inside = { ...scope, macros: macros + 1 };
  const name = `x${macros}`;
  const over = (bound: Scope["bound"]) => bool({ ...inside, bound: { ...scope.bound, ...bound } }, depth - 1);
  const quantifier = random.pick(["all", "exists", "exists_one"]);
  return random.way([
    [2, () => `${random.pick(["input.list", "input.ids"])}.${quantifier}(${name}, ${over({ number: name })})`],
    [2, () => `input.tags.${quantifier}(${name}, ${over({ text: name })})`],
    [1, () => `input.items.${quantifier}(${name}, ${over({ item: name })})`],
    [loose, () => `size(input.list.filter(${name}, ${over({ number: name })})) > 1`],
    [1, () => `${number(scope, 0)} in input.ids.map(${name}, ${name} + ${number(scope, 0)})`],
    [loose / 2, () => `input.any.${quantifier}(${name}, ${name} == "DE")`],
    [loose / 2, () => `input.to.${quantifier}(${name}, ${name} != "n")`],
    [0.5, () => `input.tags.map(${name}, ${over({ text: name })}, ${name}) == ["DE"]`],
  ]);
}

/** A condition. `depth` bounds how many connectives stand one in another. */
export function bool(scope: Scope, depth: number): string {
  const { random, variables, macros } = scope;
  const small = Math.min(1, depth);
  const leaf = () =>
    random.way([
      [6, () => comparison(scope, small)],
      [2, () => textTest(scope, small)],
      [2, () => membership(scope, small)],
      [scope.strict ? 0 : 1.5, () => presence(scope)],
      [1.6, () => moneyTest(random, scope.strict ?? false)],
      [1.8, () => domainTest(random, macros < 2 && depth > 0 ? `x${macros}` : undefined)],
      [1.5, () => random.pick(["input.flag", "principal.verified", "input.flag == true", "true", "false"])],
      [macros < 2 && depth > 0 ? 1.5 : 0, () => macro(scope, depth)],
      [4 * variables.bool.length, () => `vars.${random.pick(variables.bool)}`],
    ]);
  if (depth <= 0) return leaf();
  const inner = () => bool(scope, depth - 1);
  return random.way([
    [5, leaf],
    [3, () => `(${inner()} ${random.pick(["&&", "||"])} ${inner()})`],
    [1.5, () => `!(${inner()})`],
    [0.5, () => `(${inner()} ? ${inner()} : ${inner()})`],
  ]);
}
