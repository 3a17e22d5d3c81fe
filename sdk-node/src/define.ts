import type { Bound } from "./session.ts";
import { wholeDocument } from "./whole-document.ts";

/** A duration: `500ms`, `10s`, `15m`, `1h30m`, `7d`. */
type DurationText = Span | `${Span}${Span}`;
type Span = `${bigint}${"ms" | "s" | "m" | "h" | "d"}`;

/** A condition in CEL, or several that must all hold. */
type Condition = string | readonly [string, ...string[]];

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

type Labels = Readonly<Record<string, string>>;

interface Metadata {
  readonly name: string;
  readonly owner?: string | undefined;
  readonly description?: string | undefined;
}

interface Selectors {
  /** Names, or globs such as `payments.*`. */
  readonly tools: readonly [string, ...string[]];
  readonly servers: readonly [string, ...string[]];
  readonly risk: readonly [Risk, ...Risk[]];
}

type Risk = "unclassified" | "read" | "write" | "destructive";

/** Which tools: at least one selector, and what is given must all fit. */
type Match = { [K in keyof Selectors]: Pick<Selectors, K> & Partial<Omit<Selectors, K>> }[keyof Selectors];

interface AnyRule {
  /** Unique in its policy. */
  readonly id: string;
  readonly description?: string;
  readonly match: Match;
  readonly when?: Condition;
  readonly unless?: Condition;
  /** What the model is told. */
  readonly message?: string;
  readonly remedy?: string;
}

interface Constraints {
  readonly timeout?: DurationText;
  readonly maxOutputBytes?: number;
  readonly redactOutput?: readonly [string, ...string[]];
  readonly requireIdempotencyKey?: boolean;
}

interface Approval {
  /** `group:<name>`, the id of a principal, or `principal`. */
  readonly approvers: readonly [string, ...string[]];
  readonly quorum?: number;
  readonly expires?: DurationText;
  readonly summary?: string;
}

interface Question {
  readonly id: string;
  readonly type: "string" | "number" | "boolean";
  readonly ask: string;
}

/** A rule, with the parameters of its effect and of no other. */
export type PolicyRule = AnyRule &
  (
    | {
        readonly effect: "allow";
        readonly constraints?: Constraints;
        readonly set?: never;
        readonly approval?: never;
        readonly questions?: never;
      }
    | {
        readonly effect: "deny";
        readonly constraints?: never;
        readonly set?: never;
        readonly approval?: never;
        readonly questions?: never;
      }
    | {
        readonly effect: "transform";
        /** By path below the input: a literal, or `{ expr }`. */
        readonly set: Readonly<Record<string, Json | { readonly expr: string }>>;
        readonly constraints?: Constraints;
        readonly approval?: never;
        readonly questions?: never;
      }
    | {
        readonly effect: "escalate";
        readonly approval: Approval;
        readonly constraints?: Constraints;
        readonly set?: never;
        readonly questions?: never;
      }
    | {
        readonly effect: "clarify";
        readonly questions: readonly [Question, ...Question[]];
        readonly constraints?: never;
        readonly set?: never;
        readonly approval?: never;
      }
  );

/** How often something may happen before a breaker stops the next call: 1 to 1000 each. */
interface CallLimits {
  /** Identical calls within ten minutes that brought nothing new. */
  readonly identical?: number;
  /** Failures one after the other. */
  readonly failures?: number;
  /** Denials of one class one after the other. */
  readonly denials?: number;
  readonly perSecond?: number;
  readonly perMinute?: number;
}

/** What a policy says beside its name. */
export interface PolicyDefinition extends Metadata {
  readonly labels?: Labels;
  /** Labels that an agent must carry; absent: every agent. */
  readonly agents?: Labels;
  readonly mode?: "enforce" | "observe";
  readonly variables?: Readonly<Record<string, string>>;
  /** Of every tool that its agents call. */
  readonly limits?: CallLimits;
  readonly rules: readonly [PolicyRule, ...PolicyRule[]];
}

/** A document as files hold it: `JSON.stringify` of it is what `remit apply` takes. */
interface DefinedDocument<Kind extends string, Spec> {
  readonly apiVersion: "remit/v1";
  readonly kind: Kind;
  readonly metadata: Metadata & { readonly labels?: Labels };
  readonly spec: Spec;
}

interface PolicySpec extends Pick<PolicyDefinition, "mode" | "variables" | "limits" | "rules"> {
  readonly appliesTo?: { readonly agents: { readonly matchLabels: Labels } };
}

const metadata = ({ name, owner, description }: Metadata) => ({
  name,
  ...(owner !== undefined && { owner }),
  ...(description !== undefined && { description }),
});

/**
 * A document of kind Policy. Conditions are checked where it is applied, or by `remit policy lint`.
 *
 * @throws TypeError for what JSON would leave out, such as a condition that is undefined
 */
export function definePolicy(definition: PolicyDefinition): DefinedDocument<"Policy", PolicySpec> {
  const { name, owner, description, labels, agents, ...spec } = definition;
  return wholeDocument({
    apiVersion: "remit/v1",
    kind: "Policy",
    metadata: { ...metadata({ name, owner, description }), ...(labels && { labels }) },
    spec: { ...spec, ...("agents" in definition && { appliesTo: { agents: { matchLabels: agents as Labels } } }) },
  });
}

/** An amount: its unit, and a decimal as text. */
interface DefinedAmount {
  readonly unit: string;
  readonly value: `${number}`;
}

/** What a call costs in a unit: an amount, or CEL over its input such as `amount(input.amount, "EUR")`. */
type DefinedCost = DefinedAmount | { readonly unit: string; readonly expression: string };

interface ToolSpec {
  readonly risk: Risk;
  readonly server?: string;
  readonly description?: string;
  readonly labels?: Labels;
  /** JSON Schema, draft 2020-12. */
  readonly inputSchema?: { readonly [key: string]: Json };
  readonly contextSchema?: { readonly [key: string]: Json };
  /** What a call costs at least, unit by unit; `none`: nothing in any unit. */
  readonly cost?: "none" | readonly [DefinedCost, ...DefinedCost[]];
  readonly maximum?: readonly [DefinedAmount, ...DefinedAmount[]];
  /** By how much a call may cost more than was held for it before its overage freezes a budget. */
  readonly tolerance?: `${number}%` | readonly [DefinedAmount, ...DefinedAmount[]];
  /** Of its own calls, in one session. */
  readonly limits?: CallLimits;
  readonly redact?: readonly [string, ...string[]];
  readonly outputLabels?: readonly [string, ...string[]];
  readonly idempotentOn?: readonly [string, ...string[]];
  readonly timeout?: DurationText;
  readonly status?: "active" | "suspended";
  readonly mode?: "enforce" | "observe";
}

/** A document of kind Tool. `description` is the tool's own. */
export function defineTool({
  name,
  owner,
  ...spec
}: Omit<Metadata, "description"> & ToolSpec): DefinedDocument<"Tool", ToolSpec> {
  return wholeDocument({ apiVersion: "remit/v1", kind: "Tool", metadata: metadata({ name, owner }), spec });
}

/** From where on what an agent spends in a window is out of the ordinary, by the windows before it. */
interface Anomaly {
  /** How many robust standard deviations above the median; 6 unless it is said. */
  readonly deviations?: number;
  /** With fewer windows before it nothing is judged: 3 to 32, and 7 unless it is said. */
  readonly windowsMin?: number;
  /** Up to this nothing is out of the ordinary; a fifth of the limit unless it is said. */
  readonly floor?: `${number}`;
}

type CalendarWindow = {
  readonly window: "hour" | "day" | "week" | "month";
  readonly timeZone?: string;
  /** Of a hard budget of an agent, or with an account for each. */
  readonly anomaly?: Anomaly;
};
type OtherWindow = { readonly window: "session" | "lifetime"; readonly timeZone?: never; readonly anomaly?: never };

type BudgetSpec = (CalendarWindow | OtherWindow) & {
  readonly unit: string;
  readonly limit: `${number}`;
  readonly enforcement?: "hard" | "soft";
  readonly per?: readonly [BudgetKey, ...BudgetKey[]];
};
type BudgetKey = "principal" | "agent" | `input.${string}`;
type BudgetOwner =
  | "tenant"
  | "session"
  | { readonly team: string }
  | { readonly agent: string }
  | { readonly principal: string }
  | { readonly tool: string };

/** A document of kind Budget; `of` says whose calls it covers: the tenant's, unless it says otherwise. */
export function defineBudget(
  definition: Metadata & BudgetSpec & { readonly of?: BudgetOwner },
): DefinedDocument<"Budget", BudgetSpec & { readonly owner?: BudgetOwner }> {
  const { name, owner, description, of, ...spec } = definition;
  return wholeDocument({
    apiVersion: "remit/v1",
    kind: "Budget",
    metadata: metadata({ name, owner, description }),
    spec: { ...spec, ...("of" in definition && { owner: of as BudgetOwner }) },
  });
}

/** What a group's members may never exceed, whoever acts for them. */
interface Ceiling {
  /** Names, or globs such as `payments.*`. */
  readonly tools: readonly string[];
  readonly bounds?: readonly Bound[];
  readonly labels?: Labels;
  readonly maxDepth?: number;
  /** RFC 3339. */
  readonly expiresAt?: string;
  readonly disclose?: boolean;
}

interface GroupSpec {
  readonly members: readonly [string, ...string[]];
  readonly ceiling?: Ceiling;
}

/** A document of kind Group. */
export function defineGroup(definition: Metadata & GroupSpec): DefinedDocument<"Group", GroupSpec> {
  const { name, owner, description, ...spec } = definition;
  return wholeDocument({
    apiVersion: "remit/v1",
    kind: "Group",
    metadata: metadata({ name, owner, description }),
    spec,
  });
}
