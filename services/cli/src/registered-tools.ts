import { Code, ConnectError } from "@connectrpc/connect";
import type { ToolDocument } from "@remit/engine";
import type { Clients } from "./clients.ts";
import { everyItem } from "./pages.ts";

/** The documents of the tools that the service knows. */
export async function registeredTools({ tool: client }: Pick<Clients, "tool">): Promise<ToolDocument[]> {
  const tools = await everyItem(
    (page) => client.listTools(page),
    (page) => page.tools,
  );
  const documents: ToolDocument[] = [];
  for (const { name } of tools) {
    try {
      const { document } = await client.getTool({ name });
      documents.push(JSON.parse(document) as ToolDocument);
    } catch (error) {
      // Deleted since it was listed.
      if (!(error instanceof ConnectError && error.code === Code.NotFound)) throw error;
    }
  }
  return documents;
}
