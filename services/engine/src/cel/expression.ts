import type { Expr, Expr_Select } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { ownValue } from "../json.ts";
import { hasField, present, select } from "./access.ts";
import { budgetPaths, compileBudget } from "./amount-facts.ts";
import { compileCall } from "./call.ts";
import { typeNames } from "./convert.ts";
import { fieldsOf, guarded, now, openRoot, rootNames } from "./fact-paths.ts";
import type { Run } from "./frame.ts";
import { compileMacro } from "./macro-call.ts";
import { type Compiling, type Node, reject, type StaticType, typeWords } from "./node.ts";
import { placed, settled, typesOf } from "./place.ts";
import { propertyPlace, rootPlace } from "./property.ts";
import {
  checkedDouble,
  checkedInt,
  costFailure,
  Failure,
  LiteralMap,
  type Outcome,
  TypeName,
  type Value,
} from "./value.ts";

/** Compiles one part of a condition. Everything wrong in it is noted in `compiling.problems`. */
export function compileExpr(expr: Expr, compiling: Compiling): Node {
  const node = compilePart(expr, compiling);
  return compiling.watch ? compiling.watch(expr, node) : node;
}

function compilePart(expr: Expr, compiling: Compiling): Node {
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case "constExpr":
      return compileConstant(expr, compiling);
    case "identExpr":
      return compileName(expr, kind.value.name, compiling);
    case "selectExpr":
      return compileSelect(expr, kind.value, compiling);
    case "callExpr":
      return compileCall(expr, kind.value, compiling, compileExpr);
    case "listExpr": {
      const items = kind.value.elements.map((element) => compileExpr(element, compiling));
      return listNode(items);
    }
    case "structExpr":
      return compileMap(expr, compiling);
    case "comprehensionExpr":
      return compileMacro(expr, kind.value, compiling, compileExpr);
    default:
      return reject(compiling, expr, "an empty expression");
  }
}

function constantNode(value: Value, type: StaticType): Node {
  return { run: () => value, type, size: 1, constant: { value } };
}

/** A number that the author wrote. Beyond its type it is a slip: what is compared with infinity always or never holds. */
function finiteConstant(expr: Expr, value: Outcome, type: "int" | "double", compiling: Compiling): Node {
  if (!(value instanceof Failure)) return constantNode(value, type);
  const expected = type === "int" ? "at most 64 bits, or a double such as 1e20" : "a double below 1.8e308";
  return reject(compiling, expr, `a number that no ${type} holds`, { expected });
}

function compileConstant(expr: Expr, compiling: Compiling): Node {
  const constant = expr.exprKind.case === "constExpr" ? expr.exprKind.value.constantKind : undefined;
  switch (constant?.case) {
    case "nullValue":
      return constantNode(null, "null");
    case "boolValue":
      return constantNode(constant.value, "bool");
    case "int64Value":
      return finiteConstant(expr, checkedInt(constant.value), "int", compiling);
    case "doubleValue":
      return finiteConstant(expr, checkedDouble(constant.value), "double", compiling);
    case "stringValue":
      return constantNode(constant.value, "string");
    case "uint64Value":
      return reject(compiling, expr, "unsigned numbers are not supported", { expected: `${constant.value}` });
    default:
      return reject(compiling, expr, "bytes are not supported", { expected: "a string" });
  }
}

function compileName(expr: Expr, name: string, compiling: Compiling): Node {
  const local = compiling.locals.get(name);
  if (local) return local;
  const open = openRoot(name);
  if (open) {
    const place = rootPlace(name, compiling);
    return { run: open, type: "map", size: 1, path: name, ...(place && { place }) };
  }
  if (name === "now") return { run: now.read, type: now.type, size: 1, path: name };
  if (typeNames.includes(name)) return constantNode(new TypeName(name), "type");
  if (name === "budget") return reject(compiling, expr, "`budget` is not a value by itself", { expected: budgetPaths });
  if (fieldsOf(name) || name === "vars") {
    const fields = name === "vars" ? compiling.variables.names() : Object.keys(fieldsOf(name) ?? {});
    return reject(compiling, expr, `\`${name}\` is not a value by itself`, {
      expected: fields.map((field) => `${name}.${field}`).join(", "),
    });
  }
  return reject(compiling, expr, `unknown name \`${name}\``, {
    expected: `one of ${rootNames.join(", ")}`,
    name,
    names: [...rootNames, ...compiling.locals.keys()],
  });
}

function compileSelect(expr: Expr, selection: Expr_Select, compiling: Compiling): Node {
  const { operand, field, testOnly } = selection;
  if (!operand) return reject(compiling, expr, "a field of nothing");
  const root = operand.exprKind.case === "identExpr" ? operand.exprKind.value.name : undefined;
  const fixed = root !== undefined && !compiling.locals.has(root);
  if (fixed && root === "vars") return compileVariable(expr, field, testOnly, compiling);
  if (fixed && fieldsOf(root)) {
    const fact = compileFact(expr, root, field, compiling);
    return testOnly ? { run: present(fact), type: "bool", size: 2 } : fact;
  }
  const budget = compileBudget(expr, selection, compiling);
  if (budget) return budget;
  if (fixed && root === "answers") compiling.answers.push({ id: field, offset: compiling.offsetOf(expr) + 1 });
  const of = compileExpr(operand, compiling);
  const path = `${of.path ?? "a value"}.${field}`;
  const place = propertyPlace(
    of,
    field,
    compiling,
    testOnly ? compiling.offsetOf(operand) : compiling.offsetOf(expr) + 1,
  );
  if (place === "none") return { run: select(of, field, path), type: "dyn", size: of.size + 1, path };
  if (!typesOf(of).some((type) => type === "dyn" || type === "map")) {
    return reject(compiling, expr, `\`${path}\` is read from what is ${typeWords(typesOf(of))}`);
  }
  if (testOnly) return { run: hasField(of, field, path), type: "bool", size: of.size + 1 };
  const run =
    operand.exprKind.case === "identExpr" && root === "input" && fixed
      ? readInput(field, path)
      : select(of, field, path);
  if (place) return placed(run, of.size + 1, path, place);
  return { run, type: "dyn", size: of.size + 1, path };
}

/** The commonest path of all, without the detour over its parts. */
function readInput(field: string, path: string): Node["run"] {
  const missing = new Failure("missing", `${path} is missing`);
  return (frame) => {
    const value = ownValue(frame.input, field);
    return value === undefined ? missing : value;
  };
}

function compileVariable(expr: Expr, name: string, testOnly: boolean, compiling: Compiling): Node {
  compiling.usedVariables.add(name);
  const variable = compiling.variables.find(name);
  if (!variable) {
    return reject(compiling, expr, `unknown variable \`${name}\``, { name, names: compiling.variables.names() });
  }
  if (testOnly)
    return reject(compiling, expr, `\`vars.${name}\` is always there`, { expected: `present(vars.${name})` });
  const { index, node, key } = variable;
  if (!node) return { run: () => null, type: "dyn", size: 1, path: `vars.${name}` };
  const { run, size } = node;
  return {
    run: (frame) => {
      const known = frame.variables[index];
      if (known !== undefined) return known;
      let value = frame.shared?.get(key);
      if (value === undefined) {
        frame.meter.steps -= size;
        value = frame.meter.steps < 0 ? costFailure : run(frame);
        frame.shared?.set(key, value);
      }
      frame.variables[index] = value;
      return value;
    },
    type: variable.type,
    size: 1,
    path: `vars.${name}`,
    items: node.items,
    never: node.never,
    ...(node.place && { place: node.place }),
  };
}

function compileFact(expr: Expr, root: string, field: string, compiling: Compiling): Node {
  const fields = fieldsOf(root) ?? {};
  const fact = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (!fact) {
    return reject(compiling, expr, `unknown field \`${root}.${field}\``, {
      expected: Object.keys(fields).join(", "),
      name: field,
      names: Object.keys(fields),
    });
  }
  const path = `${root}.${field}`;
  return { run: guarded(fact, path), type: fact.type, size: 1, path };
}

function listNode(items: readonly Node[]): Node {
  const runs = items.map(settled);
  const size = items.reduce((total, item) => total + item.size, 1);
  if (items.every((item) => item.constant)) {
    const value = Object.freeze(items.map((item) => item.constant?.value ?? null));
    return { run: () => value, type: "list", size: 1, constant: { value } };
  }
  return {
    type: "list",
    size,
    run: (frame) => {
      const values: Value[] = [];
      for (const run of runs) {
        const value = run(frame);
        if (value instanceof Failure) return value;
        values.push(value);
      }
      return values;
    },
  };
}

function compileMap(expr: Expr, compiling: Compiling): Node {
  const struct = expr.exprKind.case === "structExpr" ? expr.exprKind.value : undefined;
  if (struct?.messageName !== "") return reject(compiling, expr, "messages are not supported", { expected: "a map" });
  const keys: (string | bigint | boolean)[] = [];
  const values: Node[] = [];
  const runs: Run[] = [];
  for (const entry of struct.entries) {
    const key =
      entry.keyKind.case === "mapKey" ? compileExpr(entry.keyKind.value, compiling).constant?.value : undefined;
    if (typeof key !== "string" && typeof key !== "bigint" && typeof key !== "boolean") {
      return reject(compiling, expr, "a map's key is a literal", { expected: "text, an int, true or false" });
    }
    if (keys.includes(key)) return reject(compiling, expr, `the key ${String(key)} stands twice in one map`);
    if (!entry.value) continue;
    keys.push(key);
    const value = compileExpr(entry.value, compiling);
    values.push(value);
    runs.push(settled(value));
  }
  return {
    type: "map",
    size: values.reduce((total, value) => total + value.size, 1),
    run: (frame) => {
      const entries = new Map<string | bigint | boolean, Value>();
      for (const [index, run] of runs.entries()) {
        const value = run(frame);
        if (value instanceof Failure) return value;
        entries.set(keys[index] as string, value);
      }
      return new LiteralMap(entries);
    },
  };
}
