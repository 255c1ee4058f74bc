/**
 * The BuildKit that the daemon uses: a supervised buildkitd of its own, or one that runs elsewhere. States of its own:
 *
 *   starting ──▶ ready ──crash──▶ starting (sessions of the crashed one are ended)
 *                  └──crash within `stableAfterMs` of its start──▶ broken ──▶ the daemon gives up
 */
import { UserError } from "../../errors/index.ts";
import { connectBuildkit } from "../../buildkit/index.ts";
import type { BuildkitClient } from "../../buildkit/types.ts";
import { type Buildkitd, startBuildkitd, stopGraceMs } from "./buildkitd.ts";
import { gitWrapperFolder } from "./git-wrapper.ts";
import type { Log } from "./log.ts";
import { removeBridge } from "../network/network.ts";
import { imagesDir } from "../set-up/paths.ts";
import type { DaemonStatus } from "../control/protocol.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { sweepContainers } from "./sweep.ts";

export interface Backend {
  /** Returns a client. Waits while BuildKit is being restarted. */
  client(): Promise<BuildkitClient>;
  /** Returns the current state without waiting. It reports a restart in progress. */
  status(): Pick<DaemonStatus, "buildkit" | "registry">;
  stop(): Promise<void>;
}

export interface BackendOptions {
  state: string;
  /** Address of a BuildKit daemon that runs elsewhere, or the executable of the one to run. */
  source: { address: string } | { buildkitd: string };
  log: Log;
  /** Parent cgroup of the containers of the daemon's own buildkitd. */
  cgroupParent?: string;
  /** Called when BuildKit ended by itself, with everything that ran on it. */
  onLost(reason: string): void;
  /** Time limit for the own buildkitd's first answer; for tests. */
  answerMs?: number;
  /** Called when buildkitd cannot be kept running. */
  onBroken(error: Error): void;
}

/** A buildkitd that lived at least this long is restarted after a crash. */
const stableAfterMs = 10_000;

/** Connects to a BuildKit daemon, or starts one. Throws a `UserError` when it does not answer or cannot run. */
export function startBackend(options: BackendOptions): Promise<Backend> {
  const { source } = options;
  return "address" in source ? connectRemote(source.address) : startOwn(options, source.buildkitd);
}

async function connectRemote(address: string): Promise<Backend> {
  const client = await connectBuildkit(address);
  const info = await client.info().catch((cause: Error) => {
    throw new UserError("engine-unavailable", `no BuildKit daemon answers at ${address}`, {
      detail: cause.message,
      hint: "check BUILDKIT_HOST (or --buildkit-host); unset it to let fastloop run its own",
      cause,
    });
  });
  return {
    client: () => Promise.resolve(client),
    status: () => ({ buildkit: { address, ...info } }),
    stop: () => client.close(),
  };
}

async function startOwn(options: BackendOptions, command: string): Promise<Backend> {
  const { state, log } = options;
  let stopping = false;
  let isUp = true;
  const registry: Registry | undefined = await startRegistry(state, imagesDir(), log);

  const binFolder = await gitWrapperFolder(state);
  /** The last buildkitd that started. `status` describes it while it is being restarted. */
  let last: Buildkitd | undefined;
  const start = async (): Promise<Buildkitd> => {
    const startedAt = performance.now();
    const buildkitd = await startBuildkitd({
      state,
      command,
      mirror: registry?.address,
      cgroupParent: options.cgroupParent,
      binFolder,
      log,
      ...(options.answerMs === undefined ? {} : { answerMs: options.answerMs }),
    });
    log.write(
      "engine",
      `buildkitd ${buildkitd.info.version} is up after ${Math.round(performance.now() - startedAt)} ms`,
    );
    void buildkitd.child.ended.then((how) => stopping || lost(how, performance.now() - startedAt));
    return (last = buildkitd);
  };
  const lost = (how: string, livedMs: number): void => {
    void running.then(({ client }) => client.close()).catch(() => undefined);
    options.onLost(`buildkitd ended by itself (${how})`);
    if (livedMs < stableAfterMs) {
      options.onBroken(new Error(`buildkitd ended ${Math.round(livedMs)} ms after its start: ${how}`));
      return;
    }
    isUp = false;
    running = sweepContainers(state, log).then(start);
    running.then(
      () => (isUp = true),
      () => undefined,
    );
    running.catch((error: Error) => options.onBroken(error));
  };
  let running: Promise<Buildkitd> = start();
  await running.catch(async (error: Error) => {
    stopping = true;
    await registry?.child.stop(1000);
    throw error;
  });

  return {
    client: async () => (await running).client,
    status: () => {
      // `startOwn` resolves only after buildkitd has started once, so `last` is set.
      const { address, info, rootDir, child } = last!;
      const now = isUp ? { pid: child.pid } : { restarting: true as const };
      return {
        buildkit: { address, ...info, rootDir, ...now },
        ...(registry === undefined ? {} : { registry: { address: registry.address, pid: registry.child.pid } }),
      };
    },
    stop: async () => {
      stopping = true;
      const current = await running.catch(() => undefined);
      await current?.client.close();
      await Promise.all([current?.child.stop(stopGraceMs), registry?.child.stop(1000)]);
      // A buildkitd that is stopped while it fills its pool of network namespaces leaves some of them mounted.
      await sweepContainers(state, log);
      await removeBridge(state);
    },
  };
}
