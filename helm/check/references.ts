import type { Labels, Rendered } from "./rules.ts";

const includes = (labels: Labels, selector: Labels) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

/** The labels that an object selects pods by, or a ServiceMonitor Services. */
function selectorOf({ kind, spec }: Rendered): Labels | undefined {
  if (kind === "Service") return spec?.selector as Labels | undefined;
  const { matchLabels } = (spec?.podSelector ?? spec?.selector ?? {}) as { matchLabels?: Labels };
  return matchLabels;
}

function portsAstray({ kind, spec }: Rendered, ports: readonly string[]): string[] {
  const named = kind === "Server" ? [spec?.port ?? ""] : (spec?.ports ?? []).map(({ targetPort = "" }) => targetPort);
  const unknown = named.filter((name) => !ports.includes(name)).map((name) => `the pods have no port ${name}`);
  const silent = kind === "Service" ? (spec?.ports ?? []).filter(({ appProtocol }) => appProtocol === undefined) : [];
  return [...unknown, ...silent.map(({ name }) => `the port ${name} does not say what it speaks`)];
}

/**
 * What points nowhere among the objects of one rendering and those of a mesh beside it: selectors, names of ports, hosts,
 * references. `ports` are the names that the service's pods have.
 */
export function astray(objects: readonly Rendered[], ports: readonly string[]): string[] {
  const pods = objects.flatMap(({ spec }) => (spec?.template === undefined ? [] : [spec.template.metadata.labels]));
  const services = objects.filter(({ kind }) => kind === "Service");
  const names = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  return objects.flatMap((object) => {
    const { kind, metadata, spec } = object;
    const found = portsAstray(object, ports);
    const selector = selectorOf(object);
    const among = kind === "ServiceMonitor" ? services.map((service) => service.metadata.labels ?? {}) : pods;
    if (selector !== undefined && !among.some((labels) => includes(labels, selector))) found.push("selects nothing");
    const host = spec?.host?.split(".")[0];
    if (host !== undefined && !names.has(`Service/${host}`)) found.push(`there is no Service ${host}`);
    for (const { kind: of, name } of [
      ...(spec?.targetRef ? [spec.targetRef] : []),
      ...(spec?.requiredAuthenticationRefs ?? []),
    ]) {
      if (!names.has(`${of}/${name}`)) found.push(`there is no ${of} ${name}`);
    }
    return found.map((what) => `${kind}/${metadata.name}: ${what}`);
  });
}
