import type { Container, Directory, Service } from "@dagger.io/dagger";
import { resolveService } from "../vendor/config.mjs";
import type { Config, ServiceConfig } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import type { Lock } from "./lock.ts";
import { UserError } from "./user-error.ts";

/**
 * Returns a service for tests, with its `tmpfs` paths in memory. Migrations run in a layer of the service's image, so
 * they run again only if their folder changes, not at each start.
 */
export function serviceOf(config: ServiceConfig, source: Directory, lock: Lock): Service {
  const { image, packages, port, env, command, tmpfs, migrations } = resolveService(config);
  let container = baseImage({ from: image, packages }, lock);
  for (const [name, value] of Object.entries(env)) container = container.withEnvVariable(name, value);
  if (migrations !== undefined) {
    container = container
      .withDirectory("/migrations", source.directory(migrations.folder))
      .withExec(["sh", "-ec", migrations.script]);
  }
  container = container.withExposedPort(port);
  for (const path of tmpfs) container = container.withMountedTemp(path);
  return container.asService(command === undefined ? { useEntrypoint: true } : { args: command });
}

/** Binds services of `tests.services` by their names. Throws a `UserError` if one is unknown. */
export function withServices(
  container: Container,
  config: Config,
  source: Directory,
  lock: Lock,
  names: readonly string[],
): Container {
  return [...new Set(names)].reduce((bound, name) => {
    const service = config.tests?.services?.[name];
    if (service === undefined) throw new UserError(`fastloop.yaml: unknown service \`${name}\``);
    return bound.withServiceBinding(name, serviceOf(service, source, lock));
  }, container);
}
