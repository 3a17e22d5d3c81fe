import { Effect, type RuleRef } from "@remit/proto/common";
import type { Paint } from "./paint.ts";

/** Effects in the words that people use, the mildest first. */
export const effectWords = ["allow", "transform", "escalate", "clarify", "deny"] as const;
export type EffectWord = (typeof effectWords)[number];

const words = new Map<Effect, EffectWord>([
  [Effect.ALLOW, "allow"],
  [Effect.TRANSFORM, "transform"],
  [Effect.ESCALATE, "escalate"],
  [Effect.CLARIFY, "clarify"],
]);

/** The word of an effect. What is not known here is a deny: nothing runs on an answer nobody understood. */
export function effectWord(effect: Effect): EffectWord {
  return words.get(effect) ?? "deny";
}

/** The effect that a word names; undefined for any other word. */
export function effectOf(word: string): Effect | undefined {
  if (word === "deny") return Effect.DENY;
  return [...words].find(([, name]) => name === word)?.[0];
}

/** Whether the call may run. */
export function mayRun(word: EffectWord): boolean {
  return word === "allow" || word === "transform";
}

const colours = { allow: "green", transform: "cyan", escalate: "yellow", clarify: "magenta", deny: "red" } as const;

export function paintEffect(paint: Paint, word: EffectWord, text: string = word): string {
  return paint[colours[word]](text);
}

/** A rule as people name it: policy/rule. */
export function ruleName(rule: { readonly policy: string; readonly rule: string }): string {
  return `${rule.policy}/${rule.rule}`;
}

/** A rule with the version that decided: policy@3/rule. */
export function versionedRule({ policy, version, rule }: Pick<RuleRef, "policy" | "version" | "rule">): string {
  return `${policy}@${version}/${rule}`;
}
