import { statIfThere } from "../paths/index.ts";
import { thisMachine } from "./choose-machine.ts";
import { chooseEngine, type EngineChoice } from "./choose.ts";
import { keyEnd } from "./key-end.ts";
import type { OpenSessionOptions } from "./types.ts";

/**
 * Returns the key of the engine, which cached results of runs and calls depend on, without starting it. The key names
 * which engine it is, what runs function bodies, and the build of fastloop, so that results of a faulty build do not
 * outlive it. It begins with `embedded` or `dagger`.
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

/** Identifies a program by its path, size and time: an updated program is another engine. */
function program(file: string): string {
  const stats = statIfThere(file);
  return stats === undefined ? file : `${file} of ${stats.size} bytes and ${stats.mtime.toISOString()}`;
}
