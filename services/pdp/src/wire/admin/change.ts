import { Change } from "@remit/proto/admin";
import type { PutEffect } from "../../decisions/index.ts";

/** What putting a document did, as the wire says it. */
export const CHANGES: Readonly<Record<PutEffect, Change>> = {
  none: Change.NONE,
  created: Change.CREATED,
  replaced: Change.REPLACED,
};
