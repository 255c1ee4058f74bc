import { statIfThere } from "../paths/index.ts";
import { thisMachine } from "./choose-machine.ts";
import { chooseEngine, type EngineChoice } from "./choose.ts";
import { keyEnd } from "./key-end.ts";
import type { OpenSessionOptions } from "./types.ts";

/**
 * What of an engine a result depends on, for runs and for calls, and nothing wakes it: which one answers, what runs function
 * bodies, and the build of fastloop, for what a mistake of the last one gave must not outlive it. It begins with `embedded` or
 * `dagger`.
 */
export async function engineKey({
  via,
  ...options
}: Pick<OpenSessionOptions, "engine" | "buildkitHost"> & { via?: string }): Promise<string> {
  const machine = thisMachine();
  const { choice } = await chooseEngine(options, machine);
  const runner = machine.env["_EXPERIMENTAL_DAGGER_RUNNER_HOST"] ?? "";
  return whichOne(choice, runner === "" ? "" : ` on ${runner}`) + keyEnd(via);
}

function whichOne(choice: EngineChoice, runner: string): string {
  switch (choice.kind) {
    case "buildkit-host":
      return `embedded on ${choice.address}`;
    case "buildkitd":
      return `embedded on ${choice.command === undefined ? "buildkitd" : program(choice.command)}`;
    case "dagger-cli":
      return `dagger by ${program(choice.command)}${runner}`;
    case "dagger-sdk":
      return `dagger by the SDK${runner}`;
    case "dagger-session":
      return "dagger of the environment";
  }
}

/** A program by its place and which file that is: an update of it is another engine. */
function program(file: string): string {
  const stats = statIfThere(file);
  return stats === undefined ? file : `${file} of ${stats.size} bytes and ${stats.mtime.toISOString()}`;
}
