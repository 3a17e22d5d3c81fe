import { create } from "@bufbuild/protobuf";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
} from "@remit/proto/health";
import { Fault } from "../../foundation/fault.ts";
import { type Served, serve } from "./served.ts";

/** Whether the service can decide just now. */
export interface Readiness {
  ready(): boolean;
  /** Calls back after every change; answers how to stop that. */
  subscribe(changed: () => void): () => void;
}

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

/**
 * grpc.health.v1 for the named services and, under the empty name, for all of them: they are ready together.
 * `stopping` is true from the moment the lane drains.
 */
export function serveHealth(services: readonly string[], readiness: Readiness, stopping: () => boolean): Served {
  const known = new Set(["", ...services]);
  const status = (): HealthCheckResponse_ServingStatus => (readiness.ready() && !stopping() ? SERVING : NOT_SERVING);
  const answer = (of: HealthCheckResponse_ServingStatus): HealthCheckResponse =>
    create(HealthCheckResponseSchema, { status: of });

  return serve(Health, {
    check: async ({ service }) => {
      if (known.has(service)) return answer(status());
      throw new Fault("missing", "service_unknown", `no service ${service} is served here`, { field: "service" });
    },
    list: async () => {
      const statuses = Object.fromEntries([...known].map((service) => [service, { status: status() }]));
      return create(HealthListResponseSchema, { statuses });
    },
    watch: ({ signal }, out) => {
      let last: HealthCheckResponse_ServingStatus | undefined;
      let service: string | undefined;
      const tell = () => {
        if (service === undefined) return;
        const now = known.has(service) ? status() : SERVICE_UNKNOWN;
        if (now === last) return;
        last = now;
        out.send(answer(now));
      };
      const stop = readiness.subscribe(tell);
      signal.addEventListener("abort", stop, { once: true });
      return {
        receive(request) {
          service = request.service;
          tell();
        },
        closed() {},
        draining() {
          tell();
          stop();
          out.end();
        },
      };
    },
  });
}
