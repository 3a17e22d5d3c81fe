/**
 * Schemas for the kinds of Linkerd that the example uses. Linkerd's own definitions are in none of the registries that
 * these checks use, so these are written by hand after its published API: a strict part of it, which lets nothing
 * through that the example does not need.
 */
const name = { type: "string", minLength: 1, maxLength: 253 };
const reference = {
  type: "object",
  additionalProperties: false,
  required: ["kind", "name"],
  properties: { group: { const: "policy.linkerd.io" }, kind: name, name },
};

function kind(apiVersion: string, named: string, spec: object) {
  const metadata = {
    type: "object",
    additionalProperties: false,
    required: ["name", "namespace"],
    properties: { name, namespace: name },
  };
  return {
    type: "object",
    additionalProperties: false,
    required: ["apiVersion", "kind", "metadata", "spec"],
    properties: {
      apiVersion: { const: `policy.linkerd.io/${apiVersion}` },
      kind: { const: named },
      metadata,
      spec: { type: "object", additionalProperties: false, ...spec },
    },
  };
}

/** By the names that kubeconform looks for: kind-group-version. */
export const linkerdSchemas: Readonly<Record<string, object>> = {
  "server-policy-v1beta3": kind("v1beta3", "Server", {
    required: ["podSelector", "port"],
    properties: {
      podSelector: {
        type: "object",
        additionalProperties: false,
        required: ["matchLabels"],
        properties: { matchLabels: { type: "object", additionalProperties: { type: "string" } } },
      },
      port: { oneOf: [name, { type: "integer", minimum: 1, maximum: 65_535 }] },
      proxyProtocol: { enum: ["unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"] },
      accessPolicy: {
        enum: [
          "deny",
          "audit",
          "all-authenticated",
          "all-unauthenticated",
          "cluster-authenticated",
          "cluster-unauthenticated",
        ],
      },
    },
  }),
  "authorizationpolicy-policy-v1alpha1": kind("v1alpha1", "AuthorizationPolicy", {
    required: ["targetRef", "requiredAuthenticationRefs"],
    properties: { targetRef: reference, requiredAuthenticationRefs: { type: "array", minItems: 1, items: reference } },
  }),
  "meshtlsauthentication-policy-v1alpha1": kind("v1alpha1", "MeshTLSAuthentication", {
    required: ["identities"],
    properties: {
      identities: {
        type: "array",
        minItems: 1,
        items: { type: "string", pattern: "^(\\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" },
      },
    },
  }),
};
