import type { JsonValue } from "../../json.ts";
import { sprintf } from "./sprintf.ts";

/** A builtin that OPA's compiler leaves to the host. Answers JSON text; throws where OPA's would not be defined. */
export type HostFunction = (args: readonly JsonValue[], host: { readonly nowNs: bigint }) => string;

/**
 * The builtins that a bundle may ask of its host. Everything else that Rego offers is compiled into the bundle, or not
 * to be had: whatever reaches out (`http.send`, `net.lookup_ip_addr`), differs from one time to the next
 * (`rand.intn`, `uuid.rfc4122`), tells of the machine (`opa.runtime`), or takes work that nobody bounds.
 */
export const hostFunctions: ReadonlyMap<string, HostFunction> = new Map<string, HostFunction>([
  ["sprintf", ([format, values]) => JSON.stringify(sprintf(format ?? null, values ?? null))],
  ["time.now_ns", (_, { nowNs }) => nowNs.toString()],
]);
