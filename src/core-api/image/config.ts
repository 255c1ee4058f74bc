import type { ImageConfig } from "../../buildkit/types.ts";
import { parsePlatform } from "../values/platform.ts";
import type { Container, ContainerConfig, ExposedPort } from "../values/values.ts";

export const emptyConfig: ContainerConfig = { User: "", Env: [], Entrypoint: [], Cmd: [], WorkingDir: "", Labels: {} };

/** `PATH` of containers whose image sets none. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function lookupEnv(env: readonly string[], name: string): string | undefined {
  const entry = env.find((line) => line.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

/** Replaces a variable in place, or appends it. */
export function withEnv(env: readonly string[], name: string, value: string): string[] {
  const line = `${name}=${value}`;
  const index = env.findIndex((entry) => entry.startsWith(`${name}=`));
  return index < 0 ? [...env, line] : env.with(index, line);
}

export function withoutEnv(env: readonly string[], name: string): string[] {
  return env.filter((line) => !line.startsWith(`${name}=`));
}

/** Merges an image's configuration into that of a container which is now based on the image, as Dagger does. */
export function mergeImageConfig(container: ContainerConfig, image: ImageConfig): ContainerConfig {
  const own = image.config ?? {};
  const extra = own as Record<string, unknown>;
  let env: string[] = [...container.Env];
  for (const line of own.Env ?? []) {
    const [name = "", ...value] = line.split("=");
    env = withEnv(env, name, value.join("="));
  }
  return {
    User: own.User ?? "",
    Env: env,
    Entrypoint: own.Entrypoint ?? [],
    Cmd: own.Cmd ?? [],
    WorkingDir: own.WorkingDir ?? "",
    Labels: { ...container.Labels, ...own.Labels },
    ...(own.Volumes === undefined ? {} : { Volumes: own.Volumes }),
    ...(own.StopSignal === undefined ? {} : { StopSignal: own.StopSignal }),
    ...(extra["Shell"] === undefined ? {} : { Shell: extra["Shell"] as string[] }),
    ...(extra["OnBuild"] === undefined ? {} : { OnBuild: extra["OnBuild"] as string[] }),
    ...(extra["Healthcheck"] === undefined ? {} : { Healthcheck: extra["Healthcheck"] as Record<string, unknown> }),
  };
}

/** Adds the ports that an image declares to those of a container. */
export function imagePorts(ports: readonly ExposedPort[], image: ImageConfig): ExposedPort[] {
  const result = [...ports];
  for (const name of Object.keys(image.config?.ExposedPorts ?? {})) {
    const [number = "", kind = "tcp"] = name.split("/");
    const port = Number(number);
    const protocol = kind.toUpperCase() === "UDP" ? "UDP" : "TCP";
    if (!Number.isInteger(port) || result.some((known) => known.port === port && known.protocol === protocol)) continue;
    result.push({ type: "Port", port, protocol, experimentalSkipHealthcheck: false });
  }
  return result;
}

/** Returns the configuration of the image that a container is exported as. */
export function exportedConfig(container: Container): ImageConfig {
  const { OS, Architecture, Variant } = parsePlatform(container.platform);
  const { config } = container;
  const ports = container.ports.map(({ port, protocol }) => [`${port}/${protocol.toLowerCase()}`, {}] as const);
  return {
    architecture: Architecture,
    os: OS,
    ...(Variant === "" ? {} : { variant: Variant }),
    config: {
      ...(config.User === "" ? {} : { User: config.User }),
      Env: [...config.Env],
      ...(config.Entrypoint.length === 0 ? {} : { Entrypoint: [...config.Entrypoint] }),
      ...(config.Cmd.length === 0 ? {} : { Cmd: [...config.Cmd] }),
      ...(config.WorkingDir === "" ? {} : { WorkingDir: config.WorkingDir }),
      ...(Object.keys(config.Labels).length === 0 ? {} : { Labels: { ...config.Labels } }),
      ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports) }),
      ...(config.Volumes === undefined ? {} : { Volumes: { ...config.Volumes } }),
      ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
      ...(config.Shell === undefined ? {} : { Shell: [...config.Shell] }),
      ...(config.OnBuild === undefined ? {} : { OnBuild: [...config.OnBuild] }),
      ...(config.Healthcheck === undefined ? {} : { Healthcheck: { ...config.Healthcheck } }),
    },
  };
}
