import { Fault } from "./fault.ts";

/** Where something listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with an IPv6 host in brackets. */
export function hostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const causes: readonly (readonly [RegExp, string, string])[] = [
  [/EADDRINUSE/, "is in use by another process", "stop what listens there"],
  [/EACCES|EPERM/, "may not be listened on by this user", "take a port above 1023"],
  [/EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN/, "is not an address of this machine", "name an address of this machine"],
];

/** Why a server could not listen, and which variable to change. */
export function cannotListen(at: HostPort, variable: string, error: Error): Fault {
  const [, what, remedy] = causes.find(([pattern]) => pattern.test(error.message)) ?? [
    undefined,
    `cannot be listened on (${error.message})`,
    "see the cause",
  ];
  return new Fault(
    "precondition",
    "address_unavailable",
    `${hostPort(at)} ${what} (${variable})`,
    { field: variable, fix: `${remedy}, or set ${variable} to another host:port; port 0 lets the system choose` },
    error,
  );
}
