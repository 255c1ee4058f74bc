import net from "node:net";
import { UserError } from "../errors/index.ts";
import { formatPlatform } from "../llb/index.ts";
import { openBuild } from "./build/build.ts";
import { Channel } from "./connection/channel.ts";
import { control } from "./connection/messages.ts";
import { Results } from "./gateway/results.ts";
import { ServedTrees } from "./trees.ts";
import { diskUsage, prune } from "./disk.ts";
import type { Build, BuildkitClient } from "./types.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to the daemon at `unix:///path` or `tcp://host:port`. Throws a `UserError`: immediately when nothing listens
 * there, and after `timeoutMs` when the listener does not answer as a BuildKit daemon.
 */
export async function connectBuildkit(address: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<BuildkitClient> {
  const channel = new Channel(address);
  try {
    await probe(address, timeoutMs);
    await channel.ready(timeoutMs);
  } catch (error) {
    channel.close();
    throw new UserError("engine-unavailable", `no BuildKit daemon answers at ${address}`, {
      detail: error instanceof Error ? error.message : String(error),
      hint: "check BUILDKIT_HOST (or --buildkit-host); unset it to let fastloop run its own",
      cause: error,
    });
  }
  const builds = new Set<Build>();
  const trees = new ServedTrees(channel);
  const results = new Results(channel);
  return {
    address,
    info: async () => {
      const [{ buildkitVersion }, { record }] = await Promise.all([
        channel.unary(control.info, {}),
        channel.unary(control.listWorkers, {}),
      ]);
      return {
        version: buildkitVersion?.version ?? "",
        platforms: record[0]?.platforms.map(formatPlatform) ?? [],
        network: networkOf(record[0]?.labels),
      };
    },
    openBuild: async (options) => {
      const build = openBuild(channel, results, options);
      builds.add(build);
      return { ...build, close: () => (builds.delete(build) ? build.close() : Promise.resolve()) };
    },
    diskUsage: () => diskUsage(channel),
    prune: (options) => prune(channel, options),
    serveTree: async (tree) => trees.serve(tree),
    close: async () => {
      await Promise.all([...builds].map((build) => build.close()));
      trees.close();
      channel.close();
    },
  };
}

function networkOf(labels: Record<string, string> = {}): "isolated" | "host" {
  return labels["org.mobyproject.buildkit.worker.network"] === "host" ? "host" : "isolated";
}

/**
 * Resolves when something accepts connections at the address, and rejects at once otherwise. gRPC alone would retry
 * until its deadline.
 */
export function probe(address: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketOptions(address));
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

function socketOptions(address: string): net.NetConnectOpts {
  if (address.startsWith("unix://")) return { path: address.slice("unix://".length) };
  const { hostname, port } = new URL(address.includes("://") ? address : `tcp://${address}`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}
