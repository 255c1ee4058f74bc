/** An exec's failure, by its shape: the SDK's error class is not exported to modules. */
interface FailedExec extends Error {
  cmd: string[];
  exitCode: number;
  stdout?: string;
  stderr?: string;
  /** What fastloop shows in front of the message; empty: no line of this module is worth a look. */
  place?: string;
}

/** What the commands of one tier ended with. */
export interface TierFailure {
  suite: string;
  tier: string;
  failure: unknown;
}

/** So many of the last lines are told of each failure where there is more than one. */
const toldLines = 20;

/**
 * One error for all that failed, in the words of fastloop.yaml: suite, tier, its command, and what it printed last. It stays
 * the failure of an exec, so that its exit code is the call's.
 */
export function suitesFailure(all: readonly TierFailure[]): unknown {
  const failures = oncePerCommand(all);
  const [first, ...others] = failures;
  const exec = failures.map(({ failure }) => failure).find(isFailedExec);
  if (first === undefined || exec === undefined || others.length === 0)
    return first === undefined ? undefined : inUsersWords(first);
  const told = failures.map((each) =>
    [headline(each), ...(isFailedExec(each.failure) ? lastLines(each.failure).map((line) => `  ${line}`) : [])].join(
      "\n",
    ),
  );
  // What is shown below an exec's failure is its output: all of it is in the message.
  return Object.assign(exec, { message: told.join("\n\n"), place: "", stack: "", stdout: "", stderr: "" });
}

/** What the tiers of a suite have in common, such as an install, fails in each of them: it is told once, with all of them. */
function oncePerCommand(failures: readonly TierFailure[]): TierFailure[] {
  const told = new Map<unknown, TierFailure>();
  for (const each of failures) {
    const key = isFailedExec(each.failure) ? JSON.stringify([each.suite, each.failure.cmd]) : each;
    const other = told.get(key);
    told.set(key, other === undefined ? each : { ...other, tier: `${other.tier}, ${each.tier}` });
  }
  return [...told.values()];
}

/** The failure of a program of ours, in the words that it printed: they name what, where and what to do next. */
export function programFailure(failure: unknown): unknown {
  if (!isFailedExec(failure)) return failure;
  const message = (failure.stdout ?? "").trim();
  return message === "" ? failure : Object.assign(failure, { message, place: "", stack: "", stdout: "", stderr: "" });
}

/**
 * Has the failed commands of all functions of a module told without a place in its code: they are the user's commands, and
 * what they print says what is wrong.
 */
export function tellCommandsAlone(functions: object): void {
  for (const name of Object.getOwnPropertyNames(functions)) {
    const own: unknown = Reflect.get(functions, name);
    if (name === "constructor" || typeof own !== "function") continue;
    const told = async function (this: unknown, ...given: unknown[]): Promise<unknown> {
      try {
        return await (Reflect.apply(own, this, given) as Promise<unknown>);
      } catch (failure) {
        throw isFailedExec(failure) ? Object.assign(failure, { place: "", stack: "" }) : failure;
      }
    };
    Reflect.set(functions, name, told);
  }
}

function inUsersWords(told: TierFailure): unknown {
  const { failure } = told;
  return failure instanceof Error ? Object.assign(failure, { message: headline(told), place: "", stack: "" }) : failure;
}

/** `unit smoke: npm test failed with exit code 1`. */
function headline({ suite, tier, failure }: TierFailure): string {
  const what = isFailedExec(failure)
    ? `${oneLine(scriptOf(failure.cmd))} failed with exit code ${failure.exitCode}`
    : failure instanceof Error
      ? failure.message
      : String(failure);
  return `${suite} ${tier}: ${what}`;
}

/** What the user wrote of a command that we put into a shell: a tier's is the argument of a script of ours. */
function scriptOf(command: readonly string[]): string {
  const [shell, option, script, , argument] = command;
  if (shell !== "sh" || script === undefined) return command.join(" ");
  return option === "-c" || option === "-ec" ? (argument ?? script) : command.join(" ");
}

function oneLine(script: string): string {
  const line = script
    .trim()
    // After a word that opens something no command has ended.
    .replaceAll(/(\b(?:do|then|else)|[{(|;&]|(?<!\s))\s*\n\s*/g, (_, open: string) =>
      open === "" ? "; " : `${open} `,
    );
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** Without the counter that pnpm prints again and again before it says what is wrong. */
function lastLines({ stdout = "", stderr = "" }: FailedExec): string[] {
  const lines = `${stdout}\n${stderr}`.trim().split("\n");
  return lines.filter((line) => !line.startsWith("Progress: resolved ")).slice(-toldLines);
}

export function isFailedExec(failure: unknown): failure is FailedExec {
  const { cmd, exitCode } = (failure ?? {}) as Partial<FailedExec>;
  return failure instanceof Error && Array.isArray(cmd) && typeof exitCode === "number";
}
