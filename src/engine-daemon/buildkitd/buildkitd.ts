/** Runs our own buildkitd: its configuration, its start, and a clear reason when it can't. */
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
  /** `unix://…` */
  readonly address: string;
  readonly rootDir: string;
  readonly child: Child;
  readonly network: ContainerNetwork;
  readonly client: BuildkitClient;
  readonly info: { version: string; platforms: string[] };
}

export interface BuildkitdOptions {
  state: string;
  /** The executable. */
  command: string;
  /** `127.0.0.1:port` of the local registry, if one is served. */
  mirror: string | undefined;
  /** Below which the cgroups of its containers are. */
  cgroupParent: string | undefined;
  /** Comes before all other folders of its PATH. */
  binFolder?: string;
  log: Log;
  /** How long it may take to answer once it listens; for tests. */
  answerMs?: number;
}

/** A cold start loads plugins and the cache database; a busy machine with a large cache needs a while. */
const startTimeoutMs = 60_000;
/** buildkitd writes its cache database at the end. */
export const stopGraceMs = 10_000;
const cniConfig = "/etc/buildkit/cni.json";

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
      // Logs are part of a function's result here, not a side channel: no clipping.
      BUILDKIT_STEP_LOG_MAX_SIZE: "-1",
      BUILDKIT_STEP_LOG_MAX_SPEED: "-1",
      // It makes temporary folders there, and a session that has ended has left only the name.
      XDG_RUNTIME_DIR: undefined,
      // What it leaves when it is killed is found by the sweep.
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
 * It listens before it has set up its workers: only an answer shows that it lives. One that does not answer is stopped, as
 * nothing else would know of it any more.
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
  // Whichever comes second has nobody who waits for it.
  for (const either of [answered, ended]) either.catch(() => undefined);
  try {
    return await Promise.race([answered, ended]);
  } catch (error) {
    await child.stop(stopGraceMs);
    await client?.close();
    if (error instanceof UserError && error.message.startsWith("buildkitd did not start")) throw error;
    throw new UserError("engine-unavailable", `buildkitd listens and does not answer within ${timeoutMs / 1000} s`, {
      detail: child.tail(),
      hint: "`fastloop engine logs` has all that it said",
      cause: error,
    });
  }
}

/** A configuration that an administrator made for BuildKit comes before ours. */
function cniOf(network: ContainerNetwork, log: Log): Pick<BuildkitdConfig, "cni"> {
  const problem = existsSync(cniConfig) ? changeableByOthers(cniConfig) : undefined;
  if (problem !== undefined) log.write("engine", `${cniConfig} is not used: ${problem}`);
  else if (existsSync(cniConfig)) return { cni: { configFile: cniConfig, preparedNamespaces } };
  if (network.mode === "host") return {};
  return { cni: { configFile: network.configFile, pluginDir: network.pluginDir, preparedNamespaces } };
}

/** runc comes with the engine's package, or lives in sbin, which a user's PATH often lacks. */
function programPath(): string {
  const ready = enginePackage();
  return `${ready === undefined ? "" : `${path.join(ready, "bin")}:`}${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
}

function assertCanRun(): void {
  requireRoot();
  requireSafeRunc(programPath());
}

/** The one that buildkitd will find. What is in npm's package is as fastloop itself; another one is the system's to check. */
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
