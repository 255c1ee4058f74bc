import { formatPlatform } from "../llb/platform.ts";
import { openBuild } from "./build.ts";
import { Channel } from "./channel.ts";
import { control } from "./messages.ts";
import { Results } from "./results.ts";
import { ServedTrees } from "./trees.ts";
import type { BuildkitClient } from "./types.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/** Connects to the daemon at `unix:///path` or `tcp://host:port`; rejects when nothing answers within five seconds. */
export async function connectBuildkit(address: string): Promise<BuildkitClient> {
  const channel = new Channel(address);
  try {
    await channel.ready(CONNECT_TIMEOUT_MS);
  } catch (error) {
    channel.close();
    throw new Error(`no BuildKit daemon answers at ${address}`, { cause: error });
  }
  const trees = new ServedTrees(channel);
  const results = new Results(channel);
  return {
    address,
    info: async () => {
      const [{ buildkitVersion }, { record }] = await Promise.all([channel.unary(control.info, {}), channel.unary(control.listWorkers, {})]);
      return { version: buildkitVersion?.version ?? "", platforms: record[0]?.platforms.map(formatPlatform) ?? [] };
    },
    openBuild: async (options) => openBuild(channel, results, options),
    serveTree: async (tree) => trees.serve(tree),
    close: async () => {
      trees.close();
      channel.close();
    },
  };
}
