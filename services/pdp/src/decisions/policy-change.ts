import type { PolicyDocument } from "@remit/engine";
import type { Canonicalisable } from "../foundation/canonical.ts";
import { digestText } from "../foundation/digest.ts";
import type { Revisions } from "../policies/index.ts";
import type { Choice } from "./policy-choice.ts";

/** A document as it is stored: as its author wrote it, as it was understood, and the digest of the latter. */
export interface Written<Document> {
  readonly document: Document;
  readonly source: string;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

/**
 * Policies and tools are compiled together before they are changed. The change fails as `revision_conflict` when
 * anything of the tenant has moved since: else two changes, each right by itself, could leave what does not compile.
 */
export interface CheckedAt {
  readonly expected: Revisions;
}

/** Who makes a change: the id of a caller. */
interface MadeBy {
  readonly by: string;
}

/** A change by name of what is in force. */
interface InForceChange extends MadeBy, CheckedAt {
  /** The rollout that it ends, if it changes what that is about. */
  readonly overtakes: string | undefined;
}

/** A version that takes the place of another; `from` is undefined where nothing was in force. */
export interface Replacement extends Choice {
  readonly from: number | undefined;
}

interface OfRollout extends MadeBy, CheckedAt {
  readonly rollout: string;
}

/** What becomes of versions of policies. */
export type PolicyChange =
  | ({
      readonly kind: "policies_published";
      readonly policies: readonly Written<PolicyDocument>[];
      readonly draft: boolean;
    } & MadeBy)
  | ({ readonly kind: "policies_validated"; readonly choices: readonly Choice[] } & MadeBy)
  | ({ readonly kind: "policies_activated"; readonly choices: readonly Choice[] } & InForceChange)
  | ({ readonly kind: "policies_deactivated"; readonly policies: readonly string[] } & InForceChange)
  | ({ readonly kind: "policies_rolled_back"; readonly choices: readonly Replacement[] } & InForceChange)
  | ({
      readonly kind: "rollout_started";
      readonly choices: readonly Replacement[];
      readonly shareBasisPoints: number;
    } & OfRollout)
  | ({ readonly kind: "rollout_share_set"; readonly shareBasisPoints: number } & OfRollout)
  | ({ readonly kind: "rollout_promoted"; readonly choices: readonly Replacement[] } & OfRollout)
  | ({ readonly kind: "rollout_aborted" } & OfRollout);

const replacement = ({ policy, version, from }: Replacement) => ({ policy, version, from });

const ended = ({ overtakes }: InForceChange) => (overtakes === undefined ? {} : { overtakes });

/** What an entry says of it. */
export function toldOfPolicies(change: PolicyChange): Canonicalisable {
  switch (change.kind) {
    case "policies_published":
      return {
        policies: change.policies.map(({ document, digest }) => ({
          ...{ policy: document.metadata.name, digest: digestText(digest) },
        })),
        ...(change.draft && { draft: true }),
      };
    case "policies_validated":
      return { policies: change.choices.map(({ policy, version }) => ({ policy, version })) };
    case "policies_activated":
      return { policies: change.choices.map(({ policy, version }) => ({ policy, version })), ...ended(change) };
    case "policies_deactivated":
      return { policies: change.policies.map((policy) => ({ policy })), ...ended(change) };
    case "policies_rolled_back":
      return { policies: change.choices.map(replacement), ...ended(change) };
    case "rollout_started": {
      const { rollout, shareBasisPoints, choices } = change;
      return { rollout, share_basis_points: shareBasisPoints, policies: choices.map(replacement) };
    }
    case "rollout_share_set":
      return { rollout: change.rollout, share_basis_points: change.shareBasisPoints };
    case "rollout_promoted":
      return { rollout: change.rollout, policies: change.choices.map(replacement) };
    case "rollout_aborted":
      return { rollout: change.rollout };
  }
}
