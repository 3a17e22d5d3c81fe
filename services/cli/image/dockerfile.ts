import { DockerfileParser, type Instruction, ModifiableInstruction, PropertyInstruction } from "dockerfile-ast";
import { ValidationSeverity, validate } from "dockerfile-utils";

/** One instruction of a build stage, its variables filled in with the defaults of their ARGs. */
export interface Step {
  readonly keyword: string;
  /** Everything behind the keyword and its flags, on one line. */
  readonly text: string;
  /** The same as words; for a JSON form its strings. */
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  /** NAME=value of an ENV or a LABEL. */
  readonly pairs: Readonly<Record<string, string>>;
  readonly line: number;
}

export interface Stage {
  readonly from: string;
  /** Its name, else its number. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** What a linter of Dockerfiles says against it, as "line: message". */
export function problemsOf(text: string): string[] {
  const severity = ValidationSeverity.ERROR;
  const strict = {
    deprecatedMaintainer: severity,
    directiveCasing: severity,
    emptyContinuationLine: severity,
    instructionCasing: severity,
    instructionCmdMultiple: severity,
    instructionEntrypointMultiple: severity,
    instructionHealthcheckMultiple: severity,
    instructionJSONInSingleQuotes: severity,
    instructionWorkdirRelative: severity,
  };
  return validate(text, strict).map(({ range, message }) => `${range.start.line + 1}: ${message}`);
}

function flagsOf(instruction: Instruction): Record<string, string> {
  if (!(instruction instanceof ModifiableInstruction)) return {};
  return Object.fromEntries(instruction.getFlags().map((flag) => [flag.getName(), flag.getValue() ?? ""]));
}

/** Reads a Dockerfile. ARGs have their defaults, or what is `given`. */
export function readStages(text: string, given: Readonly<Record<string, string>> = {}): Stage[] {
  const stages: { from: string; name: string; steps: Step[] }[] = [];
  const args: Record<string, string> = {};
  const filled = (word: string) => word.replace(/\$\{(\w+)\}/g, (_, name: string) => args[name] ?? "");
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((argument) => filled(argument.getValue()));
    if (keyword === "ARG") {
      const [name = "", value = ""] = (words[0] ?? "").split("=");
      args[name] = given[name] ?? (value === "" ? (args[name] ?? "") : value);
      continue;
    }
    if (keyword === "FROM") {
      stages.push({ from: words[0] ?? "", name: words[2] ?? String(stages.length), steps: [] });
      continue;
    }
    const joined = words.join(" ");
    const properties = instruction instanceof PropertyInstruction ? instruction.getProperties() : [];
    const step = {
      keyword,
      text: joined,
      words: joined.startsWith("[") ? (JSON.parse(joined) as string[]) : words,
      flags: flagsOf(instruction),
      pairs: Object.fromEntries(properties.map((one) => [one.getName(), filled(one.getValue() ?? "")])),
      line: instruction.getInstructionRange().start.line + 1,
    };
    stages.at(-1)?.steps.push(step);
  }
  return stages;
}

/** The NAME=value pairs of every ENV or LABEL of a stage. */
export function pairsOf(stage: Stage, keyword: "ENV" | "LABEL"): Record<string, string> {
  return Object.assign({}, ...stage.steps.filter((step) => step.keyword === keyword).map(({ pairs }) => pairs));
}

/** The last one of a stage, such as its ENTRYPOINT. Throws when there is none. */
export function lastOf(stage: Stage, keyword: string): Step {
  const step = stage.steps.findLast((one) => one.keyword === keyword);
  if (step === undefined) throw new Error(`the stage ${stage.name} has no ${keyword}`);
  return step;
}
