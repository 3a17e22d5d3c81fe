import { WrongOption } from "../../.tools/asked.ts";

/** A list of cores as taskset takes it, such as 0 or 0,1 or 0-3; throws a sentence when it is none. */
export function coreList(text: string | undefined): string | undefined {
  if (text === undefined || /^\d+([-,]\d+)*$/.test(text)) return text;
  throw new WrongOption(`--server-cores takes cores such as 0 or 0,1, not "${text}"`);
}
