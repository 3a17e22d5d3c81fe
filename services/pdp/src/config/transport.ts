import type { ConfigProblem, Settings } from "./problems.ts";
import { type Config, type ConfigKey, knobs, variableOf } from "./schema.ts";
import { readTlsFiles, type TlsFiles } from "./tls-files.ts";
import { type Address, isLoopback } from "./values.ts";

const keyOf = {
  certificate: "serverCertificateFile",
  key: "serverKeyFile",
  clientTrust: "clientTrustFile",
} as const satisfies Record<keyof TlsFiles, ConfigKey>;

/** The files of the service's own certificate; undefined when it does not speak TLS. */
export function tlsFilesOf(config: Config): TlsFiles | undefined {
  const { transport, serverCertificateFile: certificate, serverKeyFile: key, clientTrustFile: clientTrust } = config;
  if (transport !== "tls" || certificate === undefined || key === undefined) return undefined;
  return { certificate, key, clientTrust };
}

function missing(key: ConfigKey, message: string): ConfigProblem {
  const { expected, example } = knobs[key];
  const name = variableOf(key);
  return { name, place: "missing", message, expected, fix: `${name}=${example}` };
}

function useless(key: ConfigKey, settings: Settings, message: string, fix: string): ConfigProblem[] {
  const setting = settings.get(key);
  return setting ? [{ name: setting.name, place: setting.place, message, fix }] : [];
}

function checkBinds(config: Config, settings: Settings): ConfigProblem[] {
  if (config.transport !== "loopback") return [];
  const binds = ["httpAddress", "grpcAddress", "adminAddress", "metricsAddress"] as const;
  return binds.flatMap((key) => {
    const bind: Address | undefined = config[key];
    if (bind === undefined || isLoopback(bind.host)) return [];
    const setting = settings.get(key);
    return {
      name: setting?.name ?? key,
      place: setting?.place ?? "default",
      value: `${bind.host}:${bind.port}`,
      message: "this address can be reached from other machines, and nothing protects it",
      expected: "an address of this machine alone, such as 127.0.0.1 or [::1], unless the transport is settled",
      fix: "bind to 127.0.0.1, say REMIT_TRANSPORT=tls and give a certificate, or REMIT_TRANSPORT=mesh behind a proxy of its own; REMIT_TRANSPORT=insecure only where something else protects the connections",
    };
  });
}

/** What the files hold is looked at before anything is opened. */
function checkFiles(config: Config, settings: Settings): ConfigProblem[] {
  const files = tlsFilesOf(config);
  const read = files && readTlsFiles(files, Date.now());
  if (!read || read.ok) return [];
  return read.problems.map(({ file, path, message, fix }) => {
    const { name, place } = settings.get(keyOf[file]) ?? { name: keyOf[file], place: "default" };
    return { name, place, value: path, message, fix };
  });
}

function checkTls(config: Config, settings: Settings): ConfigProblem[] {
  const tls = config.transport === "tls";
  const problems: ConfigProblem[] = [];
  for (const key of ["serverCertificateFile", "serverKeyFile"] as const) {
    if (tls && config[key] === undefined) {
      problems.push(missing(key, "with `transport: tls` the service shows a certificate of its own"));
    }
  }
  if (!tls) {
    for (const key of ["serverCertificateFile", "serverKeyFile", "clientTrustFile", "clientCertificates"] as const) {
      const message = `it is not used with transport: ${config.transport}`;
      problems.push(...useless(key, settings, message, "REMIT_TRANSPORT=tls, or remove it"));
    }
  }
  if (tls && config.clientCertificates === "required" && config.clientTrustFile === undefined) {
    problems.push(missing("clientTrustFile", "certificates of clients are required, and nobody may vouch for them"));
  }
  return problems;
}

function checkMesh(config: Config, settings: Settings): ConfigProblem[] {
  const { transport, meshIdentity, meshPeers } = config;
  if (meshIdentity === undefined) {
    if (transport === "mesh")
      return [missing("meshIdentity", "with `transport: mesh` the service has an identity in it")];
    return useless(
      "meshPeers",
      settings,
      "it is not used without meshIdentity",
      "set REMIT_MESH_IDENTITY, or remove it",
    );
  }
  const { name, place } = settings.get("meshPeers") ?? { name: "meshPeers", place: "default" };
  const problem = (message: string, fix: string): ConfigProblem[] => [{ name, place, message, fix }];
  const byAddress = meshPeers?.loopback || (meshPeers?.addresses.length ?? 0) > 0;
  if (transport === "mesh" && !byAddress) {
    return problem("with `transport: mesh` proxies are told by their addresses", "REMIT_MESH_PEERS=loopback");
  }
  if ((meshPeers?.ids.length ?? 0) > 0 && config.clientTrustFile === undefined) {
    const fix = "REMIT_TRANSPORT=tls and REMIT_CLIENT_TRUST_FILE, or name the proxies by their addresses";
    return problem("a proxy shows its SPIFFE id in a certificate, and no client is asked for one", fix);
  }
  return [];
}

/** What protects the connections, and whether all that takes is there. */
export function checkTransport(config: Config, settings: Settings): ConfigProblem[] {
  const together = [...checkTls(config, settings), ...checkMesh(config, settings)];
  return [...checkBinds(config, settings), ...together, ...checkFiles(config, settings)];
}
