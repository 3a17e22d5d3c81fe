import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { DecideResponseSchema, DecisionService, ExchangeResponseSchema } from "@remit/proto/decision";
import { silentLog } from "../../services/pdp/src/foundation/log.ts";
import { listen } from "../../services/pdp/src/server/listen.ts";
import { createConnectLane } from "../../services/pdp/src/wire/lanes/connect.ts";
import { createGrpcLane } from "../../services/pdp/src/wire/lanes/grpc.ts";
import { serve } from "../../services/pdp/src/wire/lanes/served.ts";
import { cannedDecision } from "../src/echo/messages.ts";

const canned = cannedDecision();
const decision = create(DecideResponseSchema, canned);
const decided = () => decision;
const s = serve(DecisionService, {
  decide: async () => decided(),
  exchange: (_c, out) => ({
    receive({ frame }) {
      out.send(create(ExchangeResponseSchema, { frame, body: { case: "decided", value: decided() } }));
    },
    closed() {
      out.end();
    },
  }),
});
const lane = createGrpcLane({
  services: [s],
  health: { ready: () => true, subscribe: () => () => {} },
  log: silentLog,
  messageBytesMax: 1 << 20,
});
const at = await lane.bind({ host: "127.0.0.1", port: 0 }, "X");
const cl = createConnectLane({ services: [s], log: silentLog, messageBytesMax: 1 << 20 });
const l = await listen({
  address: { host: "127.0.0.1", port: 0 },
  variable: "Y",
  handler: connectNodeAdapter({ routes: cl.routes }),
  log: silentLog,
});
console.log(JSON.stringify({ grpc: at.port, http: l.address.port }));
