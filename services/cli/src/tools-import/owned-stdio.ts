import { StdioClientTransport, type StdioServerParameters } from "@modelcontextprotocol/client/stdio";

/**
 * A stdio transport that starts one process at most and none once it was closed, so that nothing is left running when
 * somebody gives up half-way. Everyone who closes it waits for the same end of that process.
 */
export class OwnedStdio extends StdioClientTransport {
  #closing: Promise<void> | undefined;

  constructor(server: StdioServerParameters) {
    super(server);
  }

  override async start(): Promise<void> {
    if (this.#closing) throw new Error("given up before it was started");
    await super.start();
  }

  override close(): Promise<void> {
    this.#closing ??= super.close();
    return this.#closing;
  }
}
