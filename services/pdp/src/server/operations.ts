import type { Metrics } from "../telemetry/index.ts";
import type { Handler } from "./listen.ts";

/** What the operations page knows. */
export interface Condition {
  /** Why the service cannot decide just now; empty when it can. */
  reasons(): readonly string[];
  /** What else its operator should know. */
  notes(): readonly string[];
  readonly metrics: Metrics;
}

const TEXT = "text/plain; charset=utf-8";

/**
 * `/healthz`: this process answers; never depends on the store, so an outage of Postgres restarts nothing.
 * `/readyz`: it can decide; else 503 and why. `/metrics`: for Prometheus.
 */
export function operationsHandler({ reasons, notes, metrics }: Condition): Handler {
  const pages: Readonly<Record<string, () => Promise<{ status: number; type: string; text: string }>>> = {
    "/healthz": async () => ({ status: 200, type: TEXT, text: "alive\n" }),
    "/readyz": async () => {
      const why = reasons();
      const head = why.length === 0 ? "ready" : `not ready: ${why.join("; ")}`;
      const text = [head, ...notes(), ""].join("\n");
      return { status: why.length === 0 ? 200 : 503, type: TEXT, text };
    },
    "/metrics": async () => {
      const { contentType, text } = await metrics.page();
      return { status: 200, type: contentType, text };
    },
  };
  const missing = async () => ({ status: 404, type: TEXT, text: `try ${Object.keys(pages).join(", ")}\n` });
  const wrong = async () => ({ status: 405, type: TEXT, text: "only GET is answered here\n" });

  return (request, response) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const page = request.method === "GET" || request.method === "HEAD" ? (pages[path] ?? missing) : wrong;
    page().then(
      ({ status, type, text }) => {
        response.writeHead(status, { "content-type": type });
        response.end(request.method === "HEAD" ? "" : text);
      },
      () => {
        response.writeHead(500, { "content-type": TEXT });
        response.end("the page could not be made\n");
      },
    );
  };
}
