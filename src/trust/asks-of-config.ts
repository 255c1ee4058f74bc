import { ownModule, type Config } from "../config/index.ts";
import { shellWord } from "../text/index.ts";
import { contentOf } from "./command-content.ts";
import type { Ask } from "./types.ts";

/** Where the commands of a configuration start, and the environment that says whose the folder is. */
interface ConfigPlace {
  root: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Returns what the keys of `fastloop.yaml` ask for besides its calls. Suites, images and services stay in containers.
 */
export function asksOfConfig(config: Config, place: ConfigPlace): Ask[] {
  const { engine, cache, deploy, local } = config;
  return [
    ...Object.entries(local ?? {}).flatMap(([name, entry]) => asksOfLocal(name, entry)),
    ...(engine?.buildkit === undefined ? [] : [engineAsk(engine.buildkit)]),
    ...(cache?.from ?? []).map((what) => cacheAsk("from", what)),
    ...(cache?.to ?? []).map((what) => cacheAsk("to", what)),
    ...Object.entries(deploy?.environments ?? {}).map(([name, { context }]) =>
      clusterAsk(name, context, config, place),
    ),
  ];
}

/** Returns an ask with the folder and variables quoted as for a shell, so that no other settings give the same text. */
export function asksOfLocal(name: string, { run, serve, cwd, env = {} }: NonNullable<Config["local"]>[string]): Ask[] {
  const variables = Object.entries(env).map(([key, value]) => `${key}=${shellWord(value)} `);
  const place = cwd === undefined ? "" : `cd ${shellWord(cwd)} && `;
  return Object.entries({ run, serve }).flatMap(([key, command]): Ask[] =>
    command === undefined
      ? []
      : [{ kind: "command", what: `${place}${variables.join("")}${command}`, by: `local.${name}.${key}` }],
  );
}

export function engineAsk(address: string): Ask {
  return { kind: "engine", what: address, by: "engine.buildkit" };
}

/** `location` is the text as written. */
export function cacheAsk(way: "from" | "to", location: string): Ask {
  return { kind: "cache", what: location, by: `cache.${way}` };
}

/**
 * Returns the ask for a cluster. It names everything of the repository's that gets the user's credentials there: the
 * module, images, the text of commands, and the content of the files that these name. Each is quoted as for a shell, so
 * that no other settings give the same text.
 */
export function clusterAsk(
  environment: string,
  context: string | undefined,
  { deploy, module }: Pick<Config, "deploy" | "module">,
  { root, env }: ConfigPlace,
): Ask {
  const shown = (command: string): string => {
    const files = contentOf(command, root, env);
    return files === "" ? shellWord(command) : `${shellWord(command)} with ${files}`;
  };
  const commands = Object.entries(deploy?.apps ?? {}).flatMap(([app, { custom }]) =>
    custom === undefined ? [] : [`${shellWord(app)} (apply: ${shown(custom.apply)}, delete: ${shown(custom.delete)})`],
  );
  const images = [deploy?.image, ...(commands.length === 0 ? [] : [deploy?.tools])].filter(
    (image) => image !== undefined,
  );
  const what = [
    context === undefined ? "of this machine" : shellWord(context),
    ...(module === ownModule
      ? []
      : [`through ${module === undefined ? "its own module" : `the module ${shellWord(module)}`}`]),
    ...(images.length === 0 ? [] : [`in the image ${images.map(shellWord).join(" and ")}`]),
    ...(commands.length === 0 ? [] : [`by commands of ${commands.join(", ")}`]),
  ];
  return { kind: "cluster", what: what.join(" "), by: `deploy.environments.${environment}` };
}
