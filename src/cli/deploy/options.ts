/** Options that the commands of `deploy:` share. */
import { Option, type Command } from "commander";
import { configFileOption } from "../loop-options.ts";

const repeated = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

export const appOption = (): Option => new Option("--app <name>", "only this app; repeatable").argParser(repeated);

export const imageOption = (): Option =>
  new Option(
    "--image <name=reference>",
    "NAME=REFERENCE@sha256:DIGEST instead of the image that manifests name",
  ).argParser(repeated);

/** Adds the options of commands that access a cluster. */
export function addClusterOptions(command: Command): Command {
  return command
    .addOption(configFileOption())
    .addOption(appOption())
    .addOption(new Option("--context <name>", "context of the kubeconfig (default: the environment's)"))
    .addOption(new Option("--namespace <name>", "namespace, if the environment names none"))
    .addOption(new Option("--kubeconfig <file>", "default: KUBECONFIG, else ~/.kube/config"));
}

/** Adds the options of commands that change a cluster. */
export function addChangeOptions(command: Command): Command {
  return command
    .addOption(new Option("--yes <environment>", "confirm a production environment by its name, without a prompt"))
    .addOption(
      new Option("--timeout <duration>", "how long an app may take to become ready (default: the environment's)"),
    );
}

/** Returns the words of a call for an option, if it was given. */
export const given = (flag: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`--${flag}=${value}`];

/** Returns the words of a call for an option that may be repeated. */
export const givenAll = (flag: string, values: readonly string[] = []): string[] =>
  values.map((value) => `--${flag}=${value}`);
