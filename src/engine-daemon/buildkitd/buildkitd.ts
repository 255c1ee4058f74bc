/** Runs the daemon's own buildkitd: its configuration, its start, and a clear reason when it cannot run. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { connectBuildkit } from "../../buildkit/index.ts";
import type { BuildkitClient } from "../../buildkit/types.ts";
import { UserError } from "../../errors/index.ts";
import { changeableByOthers, enginePackage, findExecutable } from "../../paths/index.ts";
import { requireBuilt } from "../../state/index.ts";
import { type BuildkitdConfig, buildkitdToml } from "./buildkitd-config.ts";
import { type Child, startChild, untilAnswers } from "./child.ts";
import type { Log } from "./log.ts";
import { guardBridge } from "../network/network-guard.ts";
import { type ContainerNetwork, planNetwork, preparedNamespaces, removeBridge } from "../network/network.ts";
import { buildkitRoot, socketDir, temporaryRoot } from "../set-up/paths.ts";
import { requireRoot } from "../set-up/require-root.ts";

export interface Buildkitd {
  /** Address as `unix://…`. */
  readonly address: string;
  readonly rootDir: string;
  readonly child: Child;
  readonly network: ContainerNetwork;
  readonly client: BuildkitClient;
  readonly info: { version: string; platforms: string[] };
}

export interface BuildkitdOptions {
  state: string;
  /** Path of the executable. */
  command: string;
  /** `127.0.0.1:port` of the local registry, if one is served. */
  mirror: string | undefined;
  /** Parent cgroup of the containers. */
  cgroupParent: string | undefined;
  /** Folder that comes first in buildkitd's PATH. */
  binFolder?: string;
  log: Log;
  /** Time limit for the first answer once buildkitd listens; for tests. */
  answerMs?: number;
}

/** A cold start loads plugins and the cache database, which takes a while on a busy machine with a large cache. */
const startTimeoutMs = 60_000;
/** Time for buildkitd to write its cache database when it stops. */
export const stopGraceMs = 10_000;
const cniConfig = "/etc/buildkit/cni.json";

/**
 * Starts buildkitd, with a bridge for its containers where possible. Throws a `UserError` that says why it cannot run.
 */
export async function startBuildkitd(options: BuildkitdOptions): Promise<Buildkitd> {
  assertCanRun();
  requireBuilt(options.command);
  const { state, log } = options;
  const network = planNetwork(state);
  if (network.mode === "bridge") {
    try {
      return await startWith(options, network);
    } catch (error) {
      log.write(
        "engine",
        `no bridge for containers: ${error instanceof UserError ? (error.detail ?? error.message) : String(error)}`,
      );
      await removeBridge(state);
      return await startWith(options, { mode: "host", reason: "the bridge could not be set up" });
    }
  }
  return await startWith(options, network);
}

async function startWith(options: BuildkitdOptions, network: ContainerNetwork): Promise<Buildkitd> {
  const { state, log } = options;
  const unguarded = network.mode === "bridge" ? await guardBridge(network.bridge) : undefined;
  if (unguarded !== undefined) log.write("engine", `containers can reach what listens on this machine: ${unguarded}`);
  log.write(
    "engine",
    network.mode === "bridge"
      ? `containers are behind the bridge ${network.bridge}`
      : `containers share the host's network: ${network.reason}`,
  );
  const socket = path.join(socketDir(state), "buildkitd.sock");
  const rootDir = buildkitRoot(state);
  for (const folder of [rootDir, temporaryRoot(state)]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = path.join(state, "buildkitd.toml");
  writeFileSync(
    config,
    buildkitdToml({
      rootDir,
      socket,
      otelSocket: path.join(socketDir(state), "otel.sock"),
      ...cniOf(network, log),
      ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
      ...(options.cgroupParent === undefined ? {} : { cgroupParent: options.cgroupParent }),
    }),
    { mode: 0o600 },
  );
  const child = startChild({
    name: "buildkitd",
    command: options.command,
    args: ["--config", config],
    env: {
      ...process.env,
      // Logs are part of a function's result here, so they must not be clipped.
      BUILDKIT_STEP_LOG_MAX_SIZE: "-1",
      BUILDKIT_STEP_LOG_MAX_SPEED: "-1",
      // buildkitd creates temporary folders there, but after a login session has ended only the variable is left.
      XDG_RUNTIME_DIR: undefined,
      // The sweep removes what buildkitd leaves there when it is killed.
      TMPDIR: temporaryRoot(state),
      PATH: `${options.binFolder === undefined ? "" : `${options.binFolder}:`}${programPath()}`,
    },
    log,
    state,
  });
  await untilAnswers(child, "buildkitd", () => accepts(socket), startTimeoutMs);
  const address = `unix://${socket}`;
  return { address, rootDir, child, network, ...(await answering(address, child, options.answerMs ?? startTimeoutMs)) };
}

/**
 * Waits for the first answer. buildkitd listens before it has set up its workers, so only an answer shows that it
 * works. If none comes, it is stopped, because nothing else would know about it. Throws a `UserError`.
 */
async function answering(
  address: string,
  child: Child,
  timeoutMs: number,
): Promise<Pick<Buildkitd, "client" | "info">> {
  let client: BuildkitClient | undefined;
  const answered = (async () => {
    client = await connectBuildkit(address, timeoutMs);
    return { client, info: await client.info() };
  })();
  const ended = child.ended.then((how) => {
    throw new UserError("engine-unavailable", `buildkitd did not start (${how})`, { detail: child.tail() });
  });
  // Nothing waits for whichever of the two settles second.
  for (const either of [answered, ended]) either.catch(() => undefined);
  try {
    return await Promise.race([answered, ended]);
  } catch (error) {
    await child.stop(stopGraceMs);
    await client?.close();
    if (error instanceof UserError && error.message.startsWith("buildkitd did not start")) throw error;
    throw new UserError("engine-unavailable", `buildkitd listens but did not respond within ${timeoutMs / 1000} s`, {
      detail: child.tail(),
      hint: "`fastloop engine logs` has its complete output",
      cause: error,
    });
  }
}

/**
 * Returns the CNI configuration. One that an administrator made for BuildKit takes precedence, unless others may change
 * it.
 */
function cniOf(network: ContainerNetwork, log: Log): Pick<BuildkitdConfig, "cni"> {
  const problem = existsSync(cniConfig) ? changeableByOthers(cniConfig) : undefined;
  if (problem !== undefined) log.write("engine", `${cniConfig} is not used: ${problem}`);
  else if (existsSync(cniConfig)) return { cni: { configFile: cniConfig, preparedNamespaces } };
  if (network.mode === "host") return {};
  return { cni: { configFile: network.configFile, pluginDir: network.pluginDir, preparedNamespaces } };
}

/**
 * Returns the PATH in which runc is searched: the engine's package contains it, or it is in sbin, which a user's PATH
 * often lacks.
 */
function programPath(): string {
  const ready = enginePackage();
  return `${ready === undefined ? "" : `${path.join(ready, "bin")}:`}${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
}

function assertCanRun(): void {
  requireRoot();
  requireSafeRunc(programPath());
}

/**
 * Checks the runc that buildkitd will find. The one in npm's package is trusted like fastloop itself; any other must
 * not be writable by other users. Throws a `UserError` when it is missing or unsafe.
 */
export function requireSafeRunc(searched: string): void {
  const file = ["buildkit-runc", "runc"]
    .map((name) => findExecutable(name, { PATH: searched }))
    .find((found) => found !== undefined);
  if (file === undefined)
    throw new UserError("engine-unavailable", "runc is not installed; buildkitd runs containers with it", {
      hint: "run `fastloop setup`, or install it by hand: apt-get install runc",
    });
  const ready = enginePackage();
  const problem =
    ready !== undefined && path.dirname(file) === path.join(ready, "bin") ? undefined : changeableByOthers(file);
  if (problem !== undefined)
    throw new UserError("engine-unavailable", `${path.basename(file)} is not run as root: ${problem}`, {
      place: file,
      hint: "let root own it and nobody else write it or the folders above it (chown root, chmod go-w)",
    });
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}
