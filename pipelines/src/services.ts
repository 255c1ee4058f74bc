import { dag } from "@dagger.io/dagger";
import type { Container, Service } from "@dagger.io/dagger";
import type { Config, ServiceConfig } from "../vendor/config.mjs";

/** A service for tests: its data in memory where `tmpfs` says so, reachable by its name. */
export function serviceOf(service: ServiceConfig): Service {
  let container = dag.container().from(service.image).withExposedPort(service.port);
  for (const [name, value] of Object.entries(service.env ?? {})) container = container.withEnvVariable(name, value);
  for (const path of service.tmpfs ?? []) container = container.withMountedTemp(path);
  return container.asService(service.command === undefined ? { useEntrypoint: true } : { args: service.command });
}

/** Binds the services under the names that the configuration gives them. */
export function withServices(container: Container, config: Config, names: readonly string[]): Container {
  return [...new Set(names)].reduce((bound, name) => {
    const service = config.tests?.services?.[name];
    if (service === undefined) throw new Error(`fastloop.yaml: unknown service \`${name}\``);
    return bound.withServiceBinding(name, serviceOf(service));
  }, container);
}
