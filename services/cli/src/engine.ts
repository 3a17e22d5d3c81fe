/** The engine is loaded by the commands that judge documents here, and not by those that ask a service. */
export async function loadEngine(): Promise<typeof import("@remit/engine")> {
  return await import("@remit/engine");
}
