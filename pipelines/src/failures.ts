/** The SDK's `ExecError`, recognized by its fields, because the SDK does not export the class to modules. */
interface FailedExec extends Error {
  cmd: string[];
  exitCode: number;
  stdout?: string;
  stderr?: string;
  /** The source position that fastloop prints before the message. Empty: none. */
  place?: string;
}

/** The error with which one tier of a suite failed. */
export interface TierFailure {
  suite: string;
  tier: string;
  failure: unknown;
}

/** How many of the last lines of output the message has for each failure, if several tiers failed. */
const toldLines = 20;

/**
 * Merges failures into one error that names suite, tier and command as in fastloop.yaml, with the last lines of output.
 * Reuses the first failed exec's error, so that the call exits with that command's code. Undefined if `all` is empty.
 */
export function suitesFailure(all: readonly TierFailure[]): unknown {
  const failures = oncePerCommand(all);
  const [first, ...others] = failures;
  const exec = failures.map(({ failure }) => failure).find(isFailedExec);
  if (first === undefined || exec === undefined || others.length === 0)
    return first === undefined ? undefined : withHeadline(first);
  const messages = failures.map((each) =>
    [headline(each), ...(isFailedExec(each.failure) ? lastLines(each.failure).map((line) => `  ${line}`) : [])].join(
      "\n",
    ),
  );
  // The output is in the message, so that it is not printed a second time below it.
  return Object.assign(exec, { message: messages.join("\n\n"), place: "", stack: "", stdout: "", stderr: "" });
}

/**
 * Merges failures of the same command in several tiers of a suite, such as an install, into one with all their tiers.
 */
function oncePerCommand(failures: readonly TierFailure[]): TierFailure[] {
  const merged = new Map<unknown, TierFailure>();
  for (const each of failures) {
    const key = isFailedExec(each.failure) ? JSON.stringify([each.suite, each.failure.cmd]) : each;
    const other = merged.get(key);
    merged.set(key, other === undefined ? each : { ...other, tier: `${other.tier}, ${each.tier}` });
  }
  return [...merged.values()];
}

/**
 * Replaces the message of a failed fastloop program, such as the deployer, by the error message it printed to stdout.
 */
export function programFailure(failure: unknown): unknown {
  if (!isFailedExec(failure)) return failure;
  const message = (failure.stdout ?? "").trim();
  return message === "" ? failure : Object.assign(failure, { message, place: "", stack: "", stdout: "", stderr: "" });
}

/**
 * Wraps all methods of a prototype, so that errors of failed commands have no position in the module's code. The
 * commands are the user's, and what they print says what is wrong.
 */
export function withoutPositions(functions: object): void {
  for (const name of Object.getOwnPropertyNames(functions)) {
    const own: unknown = Reflect.get(functions, name);
    if (name === "constructor" || typeof own !== "function") continue;
    const withoutPosition = async function (this: unknown, ...given: unknown[]): Promise<unknown> {
      try {
        return await (Reflect.apply(own, this, given) as Promise<unknown>);
      } catch (failure) {
        throw isFailedExec(failure) ? Object.assign(failure, { place: "", stack: "" }) : failure;
      }
    };
    Reflect.set(functions, name, withoutPosition);
  }
}

function withHeadline(tierFailure: TierFailure): unknown {
  const { failure } = tierFailure;
  return failure instanceof Error
    ? Object.assign(failure, { message: headline(tierFailure), place: "", stack: "" })
    : failure;
}

/** Returns a line such as `unit smoke: npm test failed with exit code 1`. */
function headline({ suite, tier, failure }: TierFailure): string {
  const what = isFailedExec(failure)
    ? `${oneLine(scriptOf(failure.cmd))} failed with exit code ${failure.exitCode}`
    : failure instanceof Error
      ? failure.message
      : String(failure);
  return `${suite} ${tier}: ${what}`;
}

/** Returns the user's part of an exec: the script's argument if there is one, else the script. */
function scriptOf(command: readonly string[]): string {
  const [shell, option, script, , argument] = command;
  if (shell !== "sh" || script === undefined) return command.join(" ");
  return option === "-c" || option === "-ec" ? (argument ?? script) : command.join(" ");
}

function oneLine(script: string): string {
  const line = script
    .trim()
    // No semicolon after a word or character that opens a block, such as `do` or `{`.
    .replaceAll(/(\b(?:do|then|else)|[{(|;&]|(?<!\s))\s*\n\s*/g, (_, open: string) =>
      open === "" ? "; " : `${open} `,
    );
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** Returns the last lines of output, without pnpm's progress lines, which would push the error out. */
function lastLines({ stdout = "", stderr = "" }: FailedExec): string[] {
  const lines = `${stdout}\n${stderr}`.trim().split("\n");
  return lines.filter((line) => !line.startsWith("Progress: resolved ")).slice(-toldLines);
}

export function isFailedExec(failure: unknown): failure is FailedExec {
  const { cmd, exitCode } = (failure ?? {}) as Partial<FailedExec>;
  return failure instanceof Error && Array.isArray(cmd) && typeof exitCode === "number";
}
