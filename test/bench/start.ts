import { spawnSync } from "node:child_process";
import { cliFile as cli } from "./cli.ts";
import { median, samples } from "./stats.ts";
import type { Bench } from "./types.ts";

/** Wall time of whole processes; interleaved, so that a busy machine hits both sides alike. */
export const startBench: Bench = {
  name: "start",
  summary: "start-up of the CLI beside node's own",
  run: async ({ note }) => {
    const times: Record<"node" | "version" | "help", number[]> = { node: [], version: [], help: [] };
    const run = (words: string[]) => spawnSync(process.execPath, words, { stdio: "ignore" });
    for (let round = 0; round < 30; round++) {
      times.node.push(...(await samples(1, () => void run(["-e", "0"]))));
      times.version.push(...(await samples(1, () => void run([cli, "--version"]))));
      times.help.push(...(await samples(1, () => void run([cli, "--help"]))));
    }
    note("30 rounds each, interleaved");
    const reference = median(times.node);
    return (["version", "help"] as const).map((key) => {
      const value = median(times[key]);
      const ratio = value / reference;
      return {
        case: `fastloop --${key}, median`,
        value,
        unit: "ms" as const,
        reference,
        ratio,
        against: "node -e 0",
        ...(key === "version" ? { aim: "<= 1.5x", met: ratio <= 1.5 } : {}),
      };
    });
  },
};
