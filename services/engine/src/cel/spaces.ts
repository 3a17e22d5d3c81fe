import { amountFunctions } from "./amounts.ts";
import { commandFunctions } from "./command-line.ts";
import { conversions } from "./convert.ts";
import { emailFunctions } from "./emails.ts";
import type { FunctionTable } from "./function-table.ts";
import { ipFunctions } from "./ip-functions.ts";
import { pathFunctions } from "./paths.ts";
import { timeFunctions } from "./time-functions.ts";
import { urlFunctions } from "./urls.ts";

/** Functions called by a name of two parts: `path.within(…)`. */
export const spaced: FunctionTable = {
  ...pathFunctions,
  ...urlFunctions,
  ...emailFunctions,
  ...ipFunctions,
  ...timeFunctions,
};

export const spaces: readonly string[] = [...new Set(Object.keys(spaced).map((name) => name.split(".")[0] ?? ""))];

/** Functions called by one name: `argv(…)`. */
export const globals: FunctionTable = { ...conversions, ...commandFunctions, ...amountFunctions };
