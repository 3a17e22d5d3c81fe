import { astray } from "./references.ts";

/** A rendered object, as far as our own rules look at it. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Labels;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod };
    /** Flat for a Service, with `matchLabels` for everything else. */
    readonly selector?: Labels | { readonly matchLabels: Labels };
    readonly podSelector?: { readonly matchLabels: Labels };
    readonly ports?: readonly { readonly name: string; readonly targetPort?: string; readonly appProtocol?: string }[];
    readonly port?: string;
    readonly host?: string;
    readonly targetRef?: Reference;
    readonly requiredAuthenticationRefs?: readonly Reference[];
  };
}

export type Labels = Readonly<Record<string, string>>;

interface Reference {
  readonly kind: string;
  readonly name: string;
}

interface Pod {
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: {
    readonly runAsNonRoot?: boolean;
    readonly runAsUser?: number;
    readonly seccompProfile?: object;
  };
  readonly containers: readonly Container[];
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly ports?: readonly { readonly name: string }[];
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities?: { readonly drop: readonly string[] };
  };
}

function againstPod(where: string, pod: Pod): string[] {
  const wants: [boolean, string][] = [
    [pod.automountServiceAccountToken === false, "mounts a token of Kubernetes"],
    [pod.enableServiceLinks === false, "is given variables of Services, which look like settings"],
    [pod.securityContext?.runAsNonRoot === true && (pod.securityContext.runAsUser ?? 0) > 0, "may run as root"],
    [pod.securityContext?.seccompProfile !== undefined, "has no seccomp profile"],
  ];
  for (const { name, env = [], securityContext: allowed } of pod.containers) {
    const secret = env.filter(({ name: variable }) => /(?:URL|KEY|SECRET|TOKEN|PASSWORD)/.test(variable));
    wants.push(
      [allowed?.readOnlyRootFilesystem === true, `${name} may write to its root`],
      [allowed?.allowPrivilegeEscalation === false, `${name} may gain privileges`],
      [allowed?.capabilities?.drop.includes("ALL") === true, `${name} keeps capabilities`],
      [
        secret.every(({ value, valueFrom }) => value === undefined && valueFrom !== undefined),
        `${name} has a secret in clear`,
      ],
      [secret.length > 0, `${name} has no secret, so this rule looks at nothing`],
    );
  }
  return wants.filter(([good]) => !good).map(([, what]) => `${where}: ${what}`);
}

/**
 * What is wrong with the objects of one rendering beyond what the schemas of Kubernetes can say: selectors that select
 * nothing, ports that nobody has, secrets where they do not belong, pods that the restricted profile would refuse.
 */
export function objections(objects: readonly Rendered[]): string[] {
  const service = objects.find(({ kind }) => kind === "Deployment")?.spec?.template;
  const [container] = service?.spec.containers ?? [];
  if (service === undefined || container === undefined) return ["there is no Deployment"];
  const found = objects.flatMap(({ kind, metadata, spec }) =>
    spec?.template === undefined ? [] : againstPod(`${kind}/${metadata.name}`, spec.template.spec),
  );
  found.push(...astray(objects, container.ports?.map(({ name }) => name) ?? []));
  if (container.env?.some(({ name }) => name === "REMIT_MIGRATION_URL")) {
    found.push("the service is given the owner's connection, which is for the migrate Job alone");
  }
  const drainSeconds = container.lifecycle?.preStop.sleep.seconds ?? 0;
  if ((service.spec.terminationGracePeriodSeconds ?? 0) <= drainSeconds) found.push("no time is left after the drain");
  return found;
}
