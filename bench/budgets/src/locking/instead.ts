// Loaded before `remit serve` (`node --import`): two modules of the service are taken from here, and nothing else of it
// is another. So what is measured is the service, and the service knows nothing of being measured.
import { registerHooks } from "node:module";

const service = new URL("../../../../services/pdp/src/", import.meta.url);
const instead = new Map(
  Object.entries({ "ledger/ledger.ts": "./ledger.ts", "stores/ledger.ts": "./ledger-store.ts" }).map(([own, ours]) => [
    new URL(own, service).href,
    new URL(ours, import.meta.url).href,
  ]),
);
const ours = new Set(instead.values());

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const other = instead.get(resolved.url);
    // What stands here is made of what it stands for.
    return other === undefined || ours.has(context.parentURL ?? "") ? resolved : { ...resolved, url: other };
  },
});
