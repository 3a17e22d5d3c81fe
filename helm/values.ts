import { settingValues } from "./settings.ts";
import { choice, flag, handedOn, handedOnList, secretRef, text, textLike, texts, type Value, whole } from "./shape.ts";

const image: Value[] = [
  {
    path: "image.repository",
    doc: "Where your image of Remit is: you build it from services/cli/Dockerfile.",
    default: "remit",
    schema: { type: "string", minLength: 1 },
  },
  {
    path: "image.tag",
    doc: "Its tag; empty: the chart's appVersion.",
    default: "",
    schema: textLike("^[\\w][\\w.-]{0,127}$"),
  },
  {
    path: "image.digest",
    doc: "Its digest, sha256:…; goes before the tag, and is what pins an image.",
    default: "",
    schema: textLike("^sha256:[a-f0-9]{64}$"),
  },
  {
    path: "image.pullPolicy",
    doc: "When it is pulled.",
    default: "IfNotPresent",
    schema: choice("Always", "IfNotPresent", "Never"),
  },
  {
    path: "image.pullSecrets",
    doc: "Names of Secrets to pull it with.",
    default: [],
    schema: { type: "array", items: text },
  },
];

const names: Value[] = [
  { path: "nameOverride", doc: "Instead of the chart's name.", default: "", schema: text },
  { path: "fullnameOverride", doc: "Instead of the release's and the chart's name.", default: "", schema: text },
  { path: "commonLabels", doc: "On every object.", default: {}, schema: texts },
];

const tls: Value[] = [
  {
    path: "tls.secretName",
    doc: "An existing Secret with `tls.crt` and `tls.key`, as cert-manager writes it: what the service shows with config.transport=tls. When it changes, the service takes it up by itself.",
    default: "",
    schema: textLike("^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$"),
  },
  {
    path: "tls.trustKey",
    doc: "The key in that Secret, such as ca.crt, that holds the authorities whose certificates clients may show. Empty: no client is asked for one, unless tls.trustConfigMap says whose.",
    default: "",
    schema: textLike("^[-._a-zA-Z0-9]{1,253}$"),
  },
  {
    path: "tls.trustConfigMap.name",
    doc: "Instead, an existing ConfigMap that holds them, such as the bundle that SPIRE or trust-manager writes.",
    default: "",
    schema: textLike("^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$"),
  },
  {
    path: "tls.trustConfigMap.key",
    doc: "The key in that ConfigMap.",
    default: "bundle.crt",
    schema: textLike("^[-._a-zA-Z0-9]{1,253}$"),
  },
];

const migration: Value[] = [
  {
    path: "migration.enabled",
    doc: "Whether a Job migrates the database before an install and before an upgrade. Without it, run `remit migrate` yourself first.",
    default: true,
    schema: flag,
  },
  ...secretRef(
    "migration.secret",
    "migrationUrl",
    "An existing Secret for REMIT_MIGRATION_URL: the role that owns the tables. No other pod gets it. Needed while migration.enabled.",
  ),
  {
    path: "migration.deadlineSeconds",
    doc: "After this the Job has failed, and with it the install or upgrade.",
    default: 600,
    schema: whole(10, 86_400),
  },
  { path: "migration.backoffLimit", doc: "How often the Job tries again.", default: 3, schema: whole(0, 20) },
  {
    path: "migration.podLabels",
    doc: "On the Job's pod. A proxy beside it would keep it from ending, so Istio is told to leave it out.",
    default: { "sidecar.istio.io/inject": "false" },
    schema: texts,
  },
  {
    path: "migration.podAnnotations",
    doc: "On the Job's pod; Linkerd is told the same.",
    default: { "linkerd.io/inject": "disabled" },
    schema: texts,
  },
  {
    path: "migration.serviceAccountName",
    doc: "It runs before the chart's ServiceAccount exists; it asks nothing of Kubernetes.",
    default: "default",
    schema: text,
  },
  {
    path: "migration.resources",
    doc: "Of the Job's container.",
    default: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    schema: handedOn,
  },
];

const replicas: Value[] = [
  { path: "replicas", doc: "How many, while autoscaling.enabled is false.", default: 3, schema: whole(1, 200) },
  {
    path: "autoscaling.enabled",
    doc: "Whether a HorizontalPodAutoscaler sets the number of replicas.",
    default: false,
    schema: flag,
  },
  { path: "autoscaling.minReplicas", doc: "The fewest.", default: 3, schema: whole(1, 200) },
  {
    path: "autoscaling.maxReplicas",
    doc: "The most. Postgres must have room for the connections of all of them: docs/kubernetes.md.",
    default: 10,
    schema: whole(1, 200),
  },
  {
    path: "autoscaling.cpuUtilization",
    doc: "The load to keep, in percent of the requested CPU; Node decides on one core.",
    default: 70,
    schema: whole(1, 100),
  },
  {
    path: "autoscaling.metrics",
    doc: "More metrics, as the autoscaling/v2 API writes them.",
    default: [],
    schema: handedOnList,
  },
  {
    path: "podDisruptionBudget.enabled",
    doc: "Whether drains of nodes go one replica at a time.",
    default: true,
    schema: flag,
  },
  {
    path: "podDisruptionBudget.maxUnavailable",
    doc: "How many replicas a drain may take at once.",
    default: 1,
    schema: whole(1, 200),
  },
  {
    path: "rollout.maxSurge",
    doc: "How many replicas a rolling update may add; it takes none away before its successor is ready.",
    default: 1,
    schema: whole(1, 200),
  },
];

const network: Value[] = [
  {
    path: "listenHost",
    doc: "Which addresses of the pod are listened on: `[::]` where there is IPv6 alone.",
    default: "0.0.0.0",
    schema: choice("0.0.0.0", "[::]"),
  },
  { path: "service.annotations", doc: "On the data Service.", default: {}, schema: texts },
  {
    path: "service.grpcAppProtocol",
    doc: "How the gRPC port is announced while it is in clear text: the Kubernetes name for HTTP/2, or the name that older meshes know.",
    default: "kubernetes.io/h2c",
    schema: choice("kubernetes.io/h2c", "grpc"),
  },
  {
    path: "service.trafficDistribution",
    doc: "Such as PreferSameZone; empty: none.",
    default: "",
    schema: textLike("^Prefer[A-Za-z]+$"),
  },
  {
    path: "networkPolicy.enabled",
    doc: "Whether what may reach the pods, and what they may reach, is limited.",
    default: true,
    schema: flag,
  },
  {
    path: "networkPolicy.clients",
    doc: "Who may ask: peers for the ports 7080 and 7081. By default every pod of the namespace.",
    default: [{ podSelector: {} }],
    schema: handedOnList,
  },
  {
    path: "networkPolicy.admins",
    doc: "Who may administer: peers for the port 7082. By default nobody; `kubectl port-forward` works all the same.",
    default: [],
    schema: handedOnList,
  },
  {
    path: "networkPolicy.monitoring",
    doc: "Who may read metrics: peers for the port 7083.",
    default: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
    schema: handedOnList,
  },
  {
    path: "networkPolicy.postgres.to",
    doc: "Where Postgres is: peers. Empty: anywhere, on its port.",
    default: [],
    schema: handedOnList,
  },
  { path: "networkPolicy.postgres.port", doc: "The port of Postgres.", default: 5432, schema: whole(1, 65_535) },
  {
    path: "networkPolicy.dns.to",
    doc: "Where names are looked up: peers for port 53. By default kube-system and the address of a cache on the node.",
    default: [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
      { ipBlock: { cidr: "169.254.20.10/32" } },
    ],
    schema: handedOnList,
  },
  {
    path: "networkPolicy.extraEgress",
    doc: "More rules of egress, such as to the control plane of a mesh.",
    default: [],
    schema: handedOnList,
  },
  { path: "networkPolicy.extraIngress", doc: "More rules of ingress.", default: [], schema: handedOnList },
];

const monitoring: Value[] = [
  {
    path: "serviceMonitor.enabled",
    doc: "Whether a ServiceMonitor of the Prometheus operator is made.",
    default: false,
    schema: flag,
  },
  { path: "serviceMonitor.labels", doc: "By which your Prometheus finds it.", default: {}, schema: texts },
  {
    path: "serviceMonitor.interval",
    doc: "How often it asks.",
    default: "15s",
    schema: { type: "string", pattern: "^[0-9]+(ms|s|m)$" },
  },
  {
    path: "prometheusRule.enabled",
    doc: "Whether the alarms of docs/operating.md are made.",
    default: false,
    schema: flag,
  },
  { path: "prometheusRule.labels", doc: "By which your Prometheus finds them.", default: {}, schema: texts },
];

const pod: Value[] = [
  {
    path: "serviceAccount.create",
    doc: "Whether a ServiceAccount is made. No token of it is mounted: Remit asks nothing of Kubernetes.",
    default: true,
    schema: flag,
  },
  {
    path: "serviceAccount.name",
    doc: "Its name; empty: the full name, or `default` where none is made.",
    default: "",
    schema: text,
  },
  { path: "serviceAccount.annotations", doc: "On it.", default: {}, schema: texts },
  { path: "podLabels", doc: "On the pods.", default: {}, schema: texts },
  { path: "podAnnotations", doc: "On the pods.", default: {}, schema: texts },
  {
    path: "resources",
    doc: "Of the container. No limit of CPU: being throttled would cost the very milliseconds that it exists to save.",
    default: { requests: { cpu: "500m", memory: "512Mi" }, limits: { memory: "1Gi" } },
    schema: handedOn,
  },
  {
    path: "shutdown.drainSeconds",
    doc: "How long a pod that is told to end still takes new calls, until every node has heard of it. Then it has config.shutdownGraceMs to finish.",
    default: 5,
    schema: whole(0, 300),
  },
  { path: "nodeSelector", doc: "Of the pods.", default: {}, schema: texts },
  { path: "tolerations", doc: "Of the pods.", default: [], schema: handedOnList },
  { path: "affinity", doc: "Of the pods.", default: {}, schema: handedOn },
  {
    path: "topologySpreadConstraints",
    doc: "Instead of the chart's own, which spread over nodes and zones as far as that goes.",
    default: [],
    schema: handedOnList,
  },
  { path: "priorityClassName", doc: "Of the pods.", default: "", schema: text },
  {
    path: "extraVolumes",
    doc: "More volumes, such as the certificate authority of Postgres (`sslrootcert` in its URL names the file).",
    default: [],
    schema: handedOnList,
  },
  {
    path: "extraVolumeMounts",
    doc: "Where they are mounted, in the service and in the migrate Job.",
    default: [],
    schema: handedOnList,
  },
];

/** Every value of the chart, on one page. values.yaml, values.schema.json and the chart's README are written from it. */
export const values: readonly Value[] = [
  ...image,
  ...settingValues(),
  ...tls,
  ...migration,
  ...replicas,
  ...network,
  ...monitoring,
  ...pod,
  ...names,
];
