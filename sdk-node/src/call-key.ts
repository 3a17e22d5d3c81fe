/** One name for a call of any session. */
export function keyOf(sessionId: string, callId: string): string {
  return `${sessionId}\n${callId}`;
}
