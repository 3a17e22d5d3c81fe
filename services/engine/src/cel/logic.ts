import type { Run } from "./frame.ts";
import type { Node } from "./node.ts";
import { Failure, type Outcome, typeConfusion } from "./value.ts";

function notBool(outcome: Outcome, what: string): Failure {
  return outcome instanceof Failure ? outcome : typeConfusion(what, outcome);
}

/** False as soon as one side is false, whatever the other; unknown only if neither decides. */
export function and(left: Node, right: Node): Run {
  const [first, second] = [left.run, right.run];
  return (frame) => {
    const a = first(frame);
    if (a === false) return false;
    const b = second(frame);
    if (b === false) return false;
    if (a !== true) return notBool(a, "`&&`");
    return b === true ? true : notBool(b, "`&&`");
  };
}

/** True as soon as one side is true, whatever the other; unknown only if neither decides. */
export function or(left: Node, right: Node): Run {
  const [first, second] = [left.run, right.run];
  return (frame) => {
    const a = first(frame);
    if (a === true) return true;
    const b = second(frame);
    if (b === true) return true;
    if (a !== false) return notBool(a, "`||`");
    return b === false ? false : notBool(b, "`||`");
  };
}

export function not(operand: Node): Run {
  const { run } = operand;
  return (frame) => {
    const value = run(frame);
    return typeof value === "boolean" ? !value : notBool(value, "`!`");
  };
}

export function choose(condition: Node, then: Run, otherwise: Run): Run {
  return (frame) => {
    const value = condition.run(frame);
    if (value === true) return then(frame);
    return value === false ? otherwise(frame) : notBool(value, "`? :`");
  };
}
