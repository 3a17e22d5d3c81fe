import { expect, test } from "vitest";
import { objections, type Rendered } from "./rules.ts";

const deployment = (pod: object = {}, container: object = {}): Rendered =>
  ({
    kind: "Deployment",
    metadata: { name: "remit" },
    spec: {
      template: {
        metadata: { labels: { app: "remit" } },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 20,
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
          containers: [
            {
              name: "remit",
              env: [{ name: "REMIT_DATABASE_URL", valueFrom: {} }],
              ports: [{ name: "grpc" }],
              lifecycle: { preStop: { sleep: { seconds: 5 } } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
              ...container,
            },
          ],
          ...pod,
        },
      },
    },
  }) as unknown as Rendered;

const service = (spec: object): Rendered => ({ kind: "Service", metadata: { name: "s" }, spec }) as Rendered;
const grpc = { name: "grpc", targetPort: "grpc", appProtocol: "grpc" };

test("a pod of the restricted profile and a Service that selects it stand", () => {
  expect(objections([deployment(), service({ selector: { app: "remit" }, ports: [grpc] })])).toEqual([]);
});

test.each([
  [deployment({ enableServiceLinks: true }), "variables of Services"],
  [deployment({ automountServiceAccountToken: undefined }), "mounts a token"],
  [deployment({ securityContext: { runAsNonRoot: true, runAsUser: 0 } }), "may run as root"],
  [deployment({ terminationGracePeriodSeconds: 5 }), "no time is left"],
  [deployment({}, { securityContext: {} }), "may write to its root"],
  [deployment({}, { env: [{ name: "REMIT_DATABASE_URL", value: "postgres://" }] }), "has a secret in clear"],
  [deployment({}, { env: [{ name: "REMIT_MIGRATION_URL", valueFrom: {} }] }), "for the migrate Job alone"],
])("what would harm is told: %#", (object, told) => {
  expect(objections([object]).join("\n")).toContain(told);
});

test("what points nowhere is told: selectors, ports, hosts, references", () => {
  const lost = service({ selector: { app: "other" }, ports: [{ ...grpc, targetPort: "http" }] });
  const named = (kind: string, name: string, spec: object) =>
    ({ kind, metadata: { name }, spec }) as unknown as Rendered;
  const wrong = [
    deployment(),
    lost,
    named("NetworkPolicy", "p", { podSelector: { matchLabels: { app: "x" } } }),
    named("PodDisruptionBudget", "b", { selector: { matchLabels: { app: "x" } } }),
    named("ServiceMonitor", "m", { selector: { matchLabels: { app: "remit" } } }),
    named("Server", "w", { podSelector: { matchLabels: { app: "remit" } }, port: "admin" }),
    named("DestinationRule", "d", { host: "remit.agents.svc.cluster.local" }),
    named("AuthorizationPolicy", "a", {
      targetRef: { kind: "Server", name: "w" },
      requiredAuthenticationRefs: [{ kind: "MeshTLSAuthentication", name: "nobody" }],
    }),
  ];
  expect(objections(wrong)).toEqual([
    "Service/s: the pods have no port http",
    "Service/s: selects nothing",
    "NetworkPolicy/p: selects nothing",
    "PodDisruptionBudget/b: selects nothing",
    "ServiceMonitor/m: selects nothing",
    "Server/w: the pods have no port admin",
    "DestinationRule/d: there is no Service remit",
    "AuthorizationPolicy/a: there is no MeshTLSAuthentication nobody",
  ]);
  expect(objections([])).toEqual(["there is no Deployment"]);
});
