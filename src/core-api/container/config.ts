import { expandArgument, changed } from "./tree.ts";
import { absolutePath } from "../values/paths.ts";
import { lookupEnv, withEnv, withoutEnv } from "../image/config.ts";
import type { Resolver } from "../values/resolver.ts";
import type { Container, ContainerConfig, ExposedPort } from "../values/values.ts";

export const containerConfigSdl = /* GraphQL */ `
    user: String!
    withUser(name: String!): Container!
    withoutUser: Container!
    workdir: String!
    withWorkdir(path: String!, expand: Boolean = false): Container!
    withoutWorkdir: Container!
    envVariable(name: String!): String
    envVariables: [EnvVariable!]!
    withEnvVariable(name: String!, value: String!, expand: Boolean = false): Container!
    withoutEnvVariable(name: String!): Container!
    withVolatileVariable(name: String!, value: String!): Container!
    withoutVolatileVariable(name: String!): Container!
    label(name: String!): String
    labels: [Label!]!
    withLabel(name: String!, value: String!): Container!
    withoutLabel(name: String!): Container!
    withAnnotation(name: String!, value: String!): Container!
    withoutAnnotation(name: String!): Container!
    entrypoint: [String!]!
    withEntrypoint(args: [String!]!, keepDefaultArgs: Boolean = false): Container!
    withoutEntrypoint(keepDefaultArgs: Boolean = false): Container!
    defaultArgs: [String!]!
    withDefaultArgs(args: [String!]!): Container!
    withoutDefaultArgs: Container!
    exposedPorts: [Port!]!
    withExposedPort(port: Int!, protocol: NetworkProtocol = TCP, description: String, experimentalSkipHealthcheck: Boolean = false): Container!
    withoutExposedPort(port: Int!, protocol: NetworkProtocol = TCP): Container!
`;

export const containerConfigResolvers: Record<string, Resolver<Container>> = {
  platform: (container) => container.platform,
  user: (container) => container.config.User,
  withUser: (container, { name }: { name: string }) => configured(container, { User: name }),
  withoutUser: (container) => configured(container, { User: "" }),

  workdir: (container) => container.config.WorkingDir,
  withWorkdir: (container, { path, expand }: { path: string; expand: boolean }) =>
    configured(container, { WorkingDir: workdirOf(container, expandArgument(container, path, expand)) }),
  withoutWorkdir: (container) => configured(container, { WorkingDir: "" }),

  envVariable: (container, { name }: { name: string }) => lookupEnv(container.config.Env, name) ?? null,
  envVariables: (container) =>
    container.config.Env.map((line) => {
      const [name = "", ...value] = line.split("=");
      return { type: "EnvVariable", name, value: value.join("=") };
    }),
  withEnvVariable: (container, { name, value, expand }: { name: string; value: string; expand: boolean }) =>
    configured(container, { Env: withEnv(container.config.Env, name, expandArgument(container, value, expand)) }),
  withoutEnvVariable: (container, { name }: { name: string }) =>
    configured(container, { Env: withoutEnv(container.config.Env, name) }),
  withVolatileVariable: (container, { name, value }: { name: string; value: string }) =>
    changed(container, { volatileEnv: withEnv(container.volatileEnv, name, value) }),
  withoutVolatileVariable: (container, { name }: { name: string }) =>
    changed(container, { volatileEnv: withoutEnv(container.volatileEnv, name) }),

  label: (container, { name }: { name: string }) => container.config.Labels[name] ?? null,
  labels: (container) =>
    Object.entries(container.config.Labels)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ type: "Label", name, value })),
  withLabel: (container, { name, value }: { name: string; value: string }) =>
    configured(container, { Labels: { ...container.config.Labels, [name]: value } }),
  withoutLabel: (container, { name }: { name: string }) => {
    const { [name]: _removed, ...Labels } = container.config.Labels;
    return configured(container, { Labels });
  },
  withAnnotation: (container, { name, value }: { name: string; value: string }) =>
    changed(container, {
      annotations: [...container.annotations.filter((known) => known.name !== name), { name, value }],
    }),
  withoutAnnotation: (container, { name }: { name: string }) =>
    changed(container, { annotations: container.annotations.filter((known) => known.name !== name) }),

  entrypoint: (container) => container.config.Entrypoint,
  withEntrypoint: (container, { args, keepDefaultArgs }: { args: string[]; keepDefaultArgs: boolean }) =>
    entered(container, args, keepDefaultArgs),
  withoutEntrypoint: (container, { keepDefaultArgs }: { keepDefaultArgs: boolean }) =>
    entered(container, [], keepDefaultArgs),
  defaultArgs: (container) => container.config.Cmd,
  withDefaultArgs: (container, { args }: { args: string[] }) =>
    changed(configured(container, { Cmd: args }), { givenDefaultArgs: true }),
  withoutDefaultArgs: (container) => changed(configured(container, { Cmd: [] }), { givenDefaultArgs: false }),

  exposedPorts: (container) => container.ports,
  withExposedPort: (
    container,
    { port, protocol, description, experimentalSkipHealthcheck }: Omit<ExposedPort, "type">,
  ) => {
    const others = container.ports.filter((known) => known.port !== port || known.protocol !== protocol);
    const exposed: ExposedPort = {
      type: "Port",
      port,
      protocol,
      ...(description === undefined || description === null ? {} : { description }),
      experimentalSkipHealthcheck,
    };
    return changed(container, { ports: [...others, exposed] });
  },
  withoutExposedPort: (container, { port, protocol }: Pick<ExposedPort, "port" | "protocol">) =>
    changed(container, {
      ports: container.ports.filter((known) => known.port !== port || known.protocol !== protocol),
    }),
};

/** Returns the new working directory. An absolute path is kept as it was written, as on a Dagger engine. */
function workdirOf({ config }: Container, name: string): string {
  return name.startsWith("/") ? name : absolutePath(config.WorkingDir, name);
}

/** Sets the entrypoint. The default arguments are cleared unless they are to be kept. */
function entered(container: Container, entrypoint: readonly string[], keepDefaultArgs: boolean): Container {
  if (keepDefaultArgs) return configured(container, { Entrypoint: entrypoint });
  return changed(configured(container, { Entrypoint: entrypoint, Cmd: [] }), { givenDefaultArgs: false });
}

function configured(container: Container, patch: Partial<ContainerConfig>): Container {
  return changed(container, { config: { ...container.config, ...patch } });
}
