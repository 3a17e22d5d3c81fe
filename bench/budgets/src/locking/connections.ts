/** How the bench tells its service how many connections lock rows. */
export const connectionsVariable = "BENCH_LOCKING_CONNECTIONS";

export function connectionsFrom(env: Readonly<Record<string, string | undefined>>): number {
  const connections = Number(env[connectionsVariable]);
  if (!Number.isInteger(connections) || connections < 1)
    throw new Error(`${connectionsVariable} is not a whole number`);
  return connections;
}
