import { type DescMessage, type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { isHeavy } from "../../services/pdp/src/foundation/weight.ts";
import { encodeInSlices } from "../../services/pdp/src/wire/lanes/encode-long.ts";
import { encodeJsonInSlices } from "../../services/pdp/src/wire/lanes/encode-long-json.ts";
import type { Pause } from "./turns.ts";

export const forms = ["bytes", "JSON"] as const;
export type Form = (typeof forms)[number];

/** An answer as the lane writes it: in slices where it is long. */
export async function written(as: Form, schema: DescMessage, answer: Message, pause: Pause): Promise<void> {
  const inSlices = as === "JSON" ? encodeJsonInSlices : encodeInSlices;
  if (isHeavy(answer)) await inSlices(schema, answer, pause);
  else if (as === "JSON") new TextEncoder().encode(toJsonString(schema, answer));
  else toBinary(schema, answer);
}
