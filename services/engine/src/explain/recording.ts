import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { Frame, Run } from "../cel/frame.ts";
import type { Node } from "../cel/node.ts";
import type { Outcome } from "../cel/value.ts";

/** The last time that a part of a text was computed. */
export interface Recorded {
  readonly outcome: Outcome;
  /** When that began: a part belongs to the run of another if it began after it. */
  readonly began: number;
  /** How often it was computed. */
  readonly times: number;
}

/** What every part of the texts of a policy came out as. */
export interface Recording {
  /** Takes a compiled part, and answers one that notes what it computes. */
  watch(text: string, part: Expr, node: Node): Node;
  /** Undefined if the part was not computed. */
  find(text: string, part: Expr): Recorded | undefined;
  clear(): void;
}

/** Parts are told apart by their text and their number in it, which is the same whenever the text is parsed. */
export function startRecording(): Recording {
  const found = new Map<string, Map<bigint, Recorded>>();
  let clock = 0;
  const noting = (text: string, id: bigint, run: Run): Run => {
    return (frame: Frame) => {
      const began = ++clock;
      const outcome = run(frame);
      const ofText = found.get(text) ?? new Map<bigint, Recorded>();
      found.set(text, ofText);
      ofText.set(id, { outcome, began, times: (ofText.get(id)?.times ?? 0) + 1 });
      return outcome;
    };
  };
  return {
    watch: (text, { id }, node) => {
      // What is known before a call needs no note.
      if (node.constant) return node;
      const plain = node.plain && noting(text, id, node.plain);
      return { ...node, run: noting(text, id, node.run), ...(plain && { plain }) };
    },
    find: (text, { id }) => found.get(text)?.get(id),
    clear: () => found.clear(),
  };
}
