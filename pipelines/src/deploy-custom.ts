import { dag } from "@dagger.io/dagger";
import type { Container, Directory } from "@dagger.io/dagger";
import type { Config, DeployApp } from "../vendor/config.mjs";
import type { App } from "../vendor/deploy.mjs";
import { toolsImage } from "./deploy-tools.ts";
import type { Lock } from "./lock.ts";

const folderOf = (app: string): string => `/run/fastloop/projects/${app}`;

/** Returns the commands of a `custom` app for an environment, or nothing for an app with manifests. */
export function customOf(name: string, { custom }: DeployApp, environment: string): Pick<App, "custom"> {
  if (custom === undefined) return {};
  const here = (text: string): string => text.replaceAll("{env}", environment);
  return { custom: { apply: here(custom.apply), delete: here(custom.delete), folder: folderOf(name) } };
}

/**
 * Returns the tools image with the `inputs` of each `custom` app mounted at its own folder, so that a command sees only
 * the files it declares. `/tmp` is a tmpfs, because the deployer writes a kubeconfig there, which must not be in a
 * layer.
 */
export async function commandContainer(
  config: Config,
  source: Directory,
  lock: Lock,
  environment: string,
  apps: readonly App[],
): Promise<Container> {
  let container = (await toolsImage(config, lock)).withMountedTemp("/tmp");
  for (const { name, custom } of apps) {
    const inputs = config.deploy?.apps[name]?.custom?.inputs;
    if (custom === undefined || inputs === undefined) continue;
    const include = inputs.map((pattern) => pattern.replaceAll("{env}", environment).replace(/\/$/, "/**"));
    container = container.withMountedDirectory(custom.folder, dag.directory().withDirectory("/", source, { include }));
  }
  return container;
}
