import { toJson } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { type ChangeRecord, ChangeService } from "@remit/proto/change";
import { ErrorDetailSchema } from "@remit/proto/common";

/** Thrown where a command has proposed what takes others, too: nothing was changed yet. */
export class Proposed extends Error {
  readonly change: ChangeRecord;
  constructor(change: ChangeRecord) {
    super(`proposed as change ${change.id}`);
    this.change = change;
  }
}

/** The proposal that a command ended with, if it did: the transport wraps what is thrown in it. */
export function proposedBy(error: unknown): Proposed | undefined {
  if (error instanceof Proposed) return error;
  return error instanceof ConnectError && error.cause instanceof Proposed ? error.cause : undefined;
}

/** Whether the service refused something because it takes several people. */
export function takesOthers(error: unknown): boolean {
  const found = ConnectError.from(error);
  return (
    found.code === Code.FailedPrecondition &&
    found.findDetails(ErrorDetailSchema).some(({ reason }) => reason === "change_needs_approval")
  );
}

/** What is told of a proposal, and what the others do. */
export function proposedLines({ id, people, approvals, expiresAt }: ChangeRecord): string[] {
  const more = Math.max(people, 2) - 1 - approvals.length;
  const until = expiresAt === undefined ? "" : `, until ${new Date(Number(expiresAt.seconds) * 1000).toISOString()}`;
  return [
    `proposed as change ${id}: it takes ${more === 1 ? "another person" : `${more} other people`}${until}`,
    `  they look at it:    remit changes show ${id}`,
    `  and approve it:     remit changes approve ${id}`,
  ];
}

/** Proposes what the service refuses to do by one person's word: the same method, the same message. */
export function proposing(transport: () => Transport): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      if (request.stream || !takesOthers(error)) throw error;
      const message = toJson(request.method.input, request.message) as Record<string, never>;
      // A key is made where it is used: who makes it proposes it with its hash.
      if (request.method.name === "CreateKey" && message.keyHash === undefined) throw error;
      const changes: Client<typeof ChangeService> = createClient(ChangeService, transport());
      const method = `${request.service.typeName}/${request.method.name}`;
      const { change } = await changes.proposeChange({ method, message });
      if (!change) throw error;
      throw new Proposed(change);
    }
  };
}
