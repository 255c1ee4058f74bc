/** Writes a Makefile for users who type `make`: each target is one command of fastloop and nothing else. */
import { ciOptions, configOf } from "./ci-options.ts";

export interface MakefileOptions {
  /** Command that starts fastloop, e.g. `npx fastloop`. */
  fastloop: string;
  /** Environment that `cluster` deploys to; undefined: the user has to set ENV. */
  environment: string | undefined;
}

/** Returns the text of the Makefile. */
export function makefile({ fastloop, environment }: MakefileOptions): string {
  const targets: [name: string, command: string, what: string][] = [
    ["dev", "$(FASTLOOP) call build-dev sync", "build the dev image, or find it built"],
    ["dev-test", "$(FASTLOOP) run", "run the tests that edits affect"],
    ["dev-watch", "$(FASTLOOP) watch", "run them again after each edit"],
    ["dev-shell", "$(FASTLOOP) call shell terminal", "open a shell in the dev image"],
    ["cluster", "$(FASTLOOP) deploy $(ENV)", "deploy; ENV names the environment"],
    ["clean", "$(FASTLOOP) cache clear", "clear this project's results"],
  ];
  const width = Math.max(...targets.map(([name]) => name.length));
  const lines = targets.map(([name, , what]) => `\t@echo "  make ${name.padEnd(width)}  ${what}"`);
  return `${[
    "# Written by `fastloop init --make`; each target is a verb of fastloop, which can do more (`fastloop help`).",
    `FASTLOOP ?= ${fastloop}`,
    `ENV ?= ${environment ?? ""}`.trimEnd(),
    "",
    ".DEFAULT_GOAL := help",
    `.PHONY: ${[...targets.map(([name]) => name), "help"].join(" ")}`,
    ...targets.flatMap(([name, command]) => ["", `${name}:`, `\t${command}`]),
    "",
    "help:",
    ...lines,
  ].join("\n")}\n`;
}

/** Starts fastloop as CI does, and takes the first environment that is not production, if there is one. */
export async function makefileOptions(root: string, first: string | undefined): Promise<MakefileOptions> {
  const { version, isDependency } = await ciOptions(root, { callsDagger: false, first });
  const { deploy } = await configOf(root, first);
  const [environment] = Object.entries(deploy?.environments ?? {}).filter(([, { production }]) => production !== true);
  return { fastloop: isDependency ? "npx fastloop" : `npx --yes fastloop@${version}`, environment: environment?.[0] };
}
