import { ApiError, notServed } from "../values/errors.ts";
import type { Call } from "../request/call.ts";
import { isRoot, metaFolder, metaMountPath } from "../solve/compile-exec.ts";
import { recipeDigest } from "../values/ids.ts";
import { absolutePath, relativeTo } from "../values/paths.ts";
import { edited } from "../values/rooted.ts";
import { changed, editAt, expandArgument } from "./tree.ts";
import { defaultPath, lookupEnv, withEnv } from "../image/config.ts";
import { withTree } from "../tree/read.ts";
import type { Resolver } from "../values/resolver.ts";
import type { Container, Exec, ExecSecret, Expectation, Mount } from "../values/values.ts";

export const containerExecSdl = /* GraphQL */ `
    withExec(
      args: [String!]!
      useEntrypoint: Boolean = false
      stdin: String = ""
      redirectStdin: String = ""
      redirectStdout: String = ""
      redirectStderr: String = ""
      expect: ReturnType = SUCCESS
      experimentalPrivilegedNesting: Boolean = false
      insecureRootCapabilities: Boolean = false
      expand: Boolean = false
      noInit: Boolean = false
    ): Container!
    stdout: String!
    stderr: String!
    combinedOutput: String!
    exitCode: Int!
`;

interface ExecArguments {
  args: string[];
  useEntrypoint: boolean;
  stdin: string;
  redirectStdin: string;
  redirectStdout: string;
  redirectStderr: string;
  expect: Expectation;
  experimentalPrivilegedNesting: boolean;
  insecureRootCapabilities: boolean;
  expand: boolean;
  noInit: boolean;
}

export const containerExecResolvers: Record<string, Resolver<Container>> = {
  withExec: async (container, args: ExecArguments, call) => afterExec(container, await execOf(container, args, call)),
  stdout: (container, _args: object, call) => record(call, container, "stdout"),
  stderr: (container, _args: object, call) => record(call, container, "stderr"),
  combinedOutput: (container, _args: object, call) => record(call, container, "combined"),
  exitCode: async (container, _args: object, call) => Number(await record(call, container, "exitCode")),
};

/**
 * Returns the command of an exec: the arguments or the defaults, after the entrypoint if that is asked for. Throws an
 * `ApiError` when there is none.
 */
export function commandOf(container: Container, args: readonly string[], useEntrypoint: boolean): string[] {
  const { Cmd, Entrypoint } = container.config;
  const given = args.length > 0 ? args : Cmd;
  const command = useEntrypoint ? [...Entrypoint, ...given] : [...given];
  if (command.length === 0) throw new ApiError("no command has been set");
  return command;
}

/**
 * Creates the files that a non-root user's command redirects its streams to. A Dagger engine opens these files as root
 * and hands them to the user, who may not be allowed to create them.
 */
function withTargets(container: Container, targets: readonly string[]): Container {
  const { User } = container.config;
  if (isRoot(User)) return container;
  const outside = container.mounts.filter(({ readOnly, source }) => readOnly || !("tree" in source));
  return targets
    .filter((target) => target !== "" && !outside.some((mount) => relativeTo(mount.target, target) !== undefined))
    .reduce(
      (made, target) =>
        editAt(
          made,
          target,
          (tree, path) => edited(tree, { action: "empty", path, user: User }),
          () => false,
        ),
      container,
    );
}

async function execOf(container: Container, args: ExecArguments, call: Call): Promise<Exec> {
  if (args.stdin !== "" && args.redirectStdin !== "") throw new ApiError("cannot set both stdin and redirectStdin");
  if (args.experimentalPrivilegedNesting) throw notServed("Container.withExec(experimentalPrivilegedNesting)");
  const path = (text: string): string =>
    text === "" ? "" : absolutePath(container.config.WorkingDir, expandArgument(container, text, args.expand));
  const [redirectStdout, redirectStderr] = [path(args.redirectStdout), path(args.redirectStderr)];
  const command = commandOf(container, args.args, args.useEntrypoint).map((part) =>
    expandArgument(container, part, args.expand),
  );
  return {
    args: command,
    ...(await execContext(withTargets(container, [redirectStdout, redirectStderr]), command, call)),
    expect: args.expect,
    stdin: args.stdin,
    redirectStdin: path(args.redirectStdin),
    redirectStdout,
    redirectStderr,
    insecure: requireRootCapabilities(call, args.insecureRootCapabilities),
    noInit: args.noInit,
  };
}

/** Returns the environment that the command `args` of the container runs in, an exec's and a service's alike. */
export async function execContext(
  container: Container,
  args: readonly string[],
  call: Call,
): Promise<
  Pick<Exec, "env" | "cwd" | "user" | "platform" | "rootfs" | "shim" | "mounts" | "secrets" | "services" | "sockets">
> {
  return {
    env: execEnvironment(container),
    cwd: absolutePath(container.config.WorkingDir, "."),
    user: container.config.User,
    platform: container.platform,
    rootfs: container.rootfs,
    shim: await call.session.shim(container.platform),
    mounts: container.mounts,
    secrets: await execSecrets(container, args, call),
    services: container.services,
    sockets: container.sockets,
  };
}

/** Returns a container's variables, with a default `PATH` if none is set. */
export function execEnvironment(container: Container): readonly string[] {
  const env = container.config.Env;
  return lookupEnv(env, "PATH") === undefined ? withEnv(env, "PATH", defaultPath) : env;
}

/**
 * Returns the secrets by id. Volatile variables are passed like secrets, so that cache keys do not contain their
 * values.
 */
async function execSecrets(container: Container, args: readonly string[], call: Call): Promise<ExecSecret[]> {
  const secrets: ExecSecret[] = [];
  for (const { secret, envName, mountPath, owner, mode } of container.secrets) {
    const { id } = await call.session.secrets.resolve(secret);
    secrets.push({ id, envName, mountPath, owner, mode });
  }
  const { Env, WorkingDir, User } = container.config;
  const command = recipeDigest([args, Env, WorkingDir, User]);
  for (const line of container.volatileEnv) {
    const [name = "", ...value] = line.split("=");
    secrets.push({ id: call.session.secrets.setVolatile(name, value.join("="), command), envName: name });
  }
  return secrets;
}

/** Returns the container after an exec: its root file system and each writable mount are outputs of the command. */
function afterExec(container: Container, exec: Exec): Container {
  const mounts = container.mounts.map((mount): Mount => {
    const { source } = mount;
    if (mount.readOnly || (source.kind !== "directory" && source.kind !== "file")) return mount;
    return { ...mount, source: { ...source, tree: { kind: "exec", exec, output: mount.target }, leftByExec: true } };
  });
  return changed(container, { rootfs: { kind: "exec", exec, output: "/" }, mounts, exec });
}

/** Reads a record that the shim wrote about the last exec. The command's own secrets are masked in it. */
async function record(call: Call, container: Container, name: string): Promise<string> {
  const { exec } = container;
  if (exec === undefined) throw new ApiError("no command has been set");
  const content = await withTree(call, { kind: "exec", exec, output: metaMountPath }, (reader) =>
    reader.read(`${metaFolder}/${name}`),
  );
  return content.toString("utf8");
}

/**
 * Returns `wanted`. Throws an `ApiError` when root capabilities are wanted and the user has not allowed them: they
 * amount to root on the user's machine.
 */
export function requireRootCapabilities(call: Call, wanted: boolean): boolean {
  if (!wanted || call.session.options.rootCapabilities === true) return wanted;
  throw new ApiError(
    "insecureRootCapabilities is off: such a container is root on this machine. Allow it for this project with `fastloop trust`, " +
      "or for all with `rootCapabilities: true` in your ~/.config/fastloop/config.yaml (FASTLOOP_ROOT_CAPABILITIES=1)",
  );
}
