import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { DescMethod, DescService } from "@bufbuild/protobuf";

const GENERATED = join(import.meta.dirname, "../../../../proto/gen/remit/v1");

/** Every service that the contract knows, as it was generated. */
async function everyService(): Promise<DescService[]> {
  const files = readdirSync(GENERATED).filter((file) => file.endsWith("_pb.ts"));
  const modules: Record<string, unknown>[] = await Promise.all(files.map((file) => import(join(GENERATED, file))));
  return modules.flatMap((module) =>
    Object.values(module).filter((value): value is DescService => (value as DescService)?.kind === "service"),
  );
}

export async function everyMethod(): Promise<DescMethod[]> {
  return (await everyService()).flatMap(({ methods }) => methods);
}
