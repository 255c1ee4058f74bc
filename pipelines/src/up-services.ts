import { dag } from "@dagger.io/dagger";
import type { Container, Directory, Service } from "@dagger.io/dagger";
import { portMappings, resolveService } from "../vendor/config.mjs";
import type { Config, UpServiceConfig } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { devImage } from "./dev.ts";
import { run } from "./exec.ts";
import { imageOf } from "./images.ts";
import { readLock } from "./lock.ts";
import type { Lock } from "./lock.ts";
import { prodImage } from "./prod.ts";
import { baseOf, devBase, nameOf } from "./project.ts";
import { serviceOf } from "./services.ts";
import { UserError } from "./user-error.ts";

/** Running services by name. A service that needs one of them is bound to it, rather than to another instance. */
export type Given = ReadonlyMap<string, Service>;

/** Returns a service of `services`, bound to the services that it needs. Throws a `UserError` for an unknown name. */
export async function upService(config: Config, source: Directory, name: string, given: Given): Promise<Service> {
  const made = new Map(given);
  const make = async (wanted: string): Promise<Service> => {
    const known = made.get(wanted);
    if (known !== undefined) return known;
    const service = described(wanted, config);
    const needs: [string, Service][] = [];
    for (const need of service.needs ?? []) needs.push([need, await make(need)]);
    const built = await build(service, config, source, needs);
    made.set(wanted, built);
    return built;
  };
  return make(name);
}

/** Builds a service's image without the services it needs, so that it can be built before those are healthy. */
export async function serviceImage(config: Config, source: Directory, name: string): Promise<Container> {
  const service = described(name, config);
  return withSources(await imageFor(service, config, source, await readLock(source)), service, source);
}

function described(name: string, config: Config): UpServiceConfig {
  const service = config.services?.[name];
  if (service === undefined) throw new UserError(unknownService(name, config));
  if (service.function !== undefined)
    throw new UserError(
      `fastloop.yaml: \`services.${name}\` is the module's function \`${service.function}\`; call that`,
    );
  return service;
}

function unknownService(name: string, { services = {} }: Config): string {
  const known = Object.keys(services).join(", ");
  return `fastloop.yaml: there is no service \`${name}\`${known === "" ? "" : `; known: ${known}`}`;
}

async function build(
  service: UpServiceConfig,
  config: Config,
  source: Directory,
  needs: readonly [string, Service][],
): Promise<Service> {
  const lock = await readLock(source);
  if (service.preset !== undefined && isPlainPreset(service)) return serviceOf(presetOf(service), source, lock);
  let container = await imageFor(service, config, source, lock);
  container = withSources(container, service, source);
  for (const [name, path] of Object.entries(service.volumes ?? {}))
    container = container.withMountedCache(path, dag.cacheVolume(`service-${name}`));
  for (const path of tmpfsOf(service)) container = container.withMountedTemp(path);
  for (const [name, bound] of needs) container = container.withServiceBinding(name, bound);
  for (const port of portsOf(service)) container = container.withExposedPort(port);
  const checked = withCheck(container, service);
  const command = commandOf(service);
  return command === undefined
    ? checked.asService({ useEntrypoint: true })
    : checked.asService({ args: command, useEntrypoint: service.useEntrypoint === true });
}

/** Returns whether a preset has no settings beyond those of `tests.services`. Then tests and `up` share one service. */
const isPlainPreset = (service: UpServiceConfig): boolean =>
  Object.keys(service).every((key) =>
    ["preset", "image", "packages", "env", "ports", "memory", "tmpfs", "migrations"].includes(key),
  );

function presetOf({ preset, image, packages, env, ports, tmpfs, migrations }: UpServiceConfig) {
  const [mapping] = portMappings(ports);
  return {
    preset,
    image,
    packages,
    env,
    tmpfs,
    migrations,
    ...(mapping === undefined ? {} : { port: mapping.container }),
  };
}

const commandOf = (service: UpServiceConfig): string[] | undefined => {
  if (typeof service.command === "string") return ["sh", "-c", `exec ${service.command}`];
  if (service.command !== undefined) return service.command;
  return service.preset === undefined ? undefined : resolveService(presetOf(service)).command;
};

const portsOf = (service: UpServiceConfig): number[] => {
  const given = portMappings(service.ports).map(({ container }) => container);
  return given.length > 0 || service.preset === undefined ? given : [resolveService(presetOf(service)).port];
};

const tmpfsOf = (service: UpServiceConfig): string[] => {
  if (service.preset === undefined) return service.tmpfs ?? [];
  // A path on a volume is not in memory.
  const kept = Object.values(service.volumes ?? {});
  return resolveService(presetOf(service)).tmpfs.filter((path) => !kept.includes(path));
};

async function imageFor(service: UpServiceConfig, config: Config, source: Directory, lock: Lock): Promise<Container> {
  let container = await startOf(service, config, source, lock);
  if (service.preset !== undefined) {
    const { env, migrations } = resolveService(presetOf(service));
    for (const [name, value] of Object.entries(env)) container = container.withEnvVariable(name, value);
    if (migrations !== undefined)
      container = container
        .withDirectory("/migrations", source.directory(migrations.folder))
        .withExec(["sh", "-ec", migrations.script]);
  }
  for (const [name, value] of Object.entries(service.env ?? {})) container = container.withEnvVariable(name, value);
  return container;
}

async function startOf(service: UpServiceConfig, config: Config, source: Directory, lock: Lock): Promise<Container> {
  if (service.build !== undefined) return dockerBuild(service.build, source);
  if (service.preset !== undefined) {
    const { image, packages } = resolveService(presetOf(service));
    return baseImage({ from: image, packages }, lock);
  }
  const { image = "", packages } = service;
  const project = nameOf(config);
  if (image === "base") return baseImage(baseOf(config), lock);
  if (image === "dev") return devImage(config, await devBase(config, source), source, { project });
  if (image === "prod") {
    const dev = devImage(config, await devBase(config, source), source, { project });
    return prodImage(config.images?.prod ?? { from: "" }, dev, lock);
  }
  return packages === undefined ? imageOf(image, lock) : baseImage({ from: image, packages }, lock);
}

function dockerBuild(build: NonNullable<UpServiceConfig["build"]>, source: Directory): Container {
  const { context, dockerfile, target, args } = typeof build === "string" ? { context: build } : build;
  return source.directory(context).dockerBuild({
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(target === undefined ? {} : { target }),
    buildArgs: Object.entries(args ?? {}).map(([name, value]) => ({ name, value })),
  });
}

/** Adds the layers, then the sources, last, so that an edit of them leaves the layers cached. */
function withSources(container: Container, service: UpServiceConfig, source: Directory): Container {
  const { layers = [], sources, mounts = {}, user } = service;
  const workdir = service.workdir ?? (layers.length > 0 || sources !== undefined ? "/app" : undefined);
  let image = workdir === undefined ? container : container.withWorkdir(workdir);
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer.env ?? {})) image = image.withEnvVariable(name, value);
    if (layer.files !== undefined && workdir !== undefined)
      image = image.withDirectory(workdir, source, { include: layer.files.map(asPattern) });
    const commands = typeof layer.run === "string" ? [layer.run] : (layer.run ?? []);
    if (commands.length > 0) image = run(image, commands, layer.caches);
  }
  if (sources !== undefined && workdir !== undefined)
    image = image.withDirectory(workdir, source, { include: sources.map(asPattern) });
  for (const [from, to] of Object.entries(mounts))
    image = from.endsWith("/")
      ? image.withDirectory(to, source.directory(from), from === "./" ? { exclude: ["fastloop.yaml"] } : {})
      : image.withFile(to, source.file(from));
  return user === undefined ? image : image.withUser(user);
}

/** Returns an include pattern; `./` includes everything. */
const asPattern = (path: string): string => (/^\.?\/?$/.test(path) ? "**" : path.replace(/^\.\//, ""));

function withCheck(container: Container, { health }: UpServiceConfig): Container {
  if (typeof health !== "object" || health.command === undefined) return container;
  const { command } = health;
  return container.withDockerHealthcheck(Array.isArray(command) ? command : ["sh", "-c", command], {
    interval: "2s",
    startInterval: "200ms",
    startPeriod: health.timeout ?? "2m",
    retries: 3,
  });
}
