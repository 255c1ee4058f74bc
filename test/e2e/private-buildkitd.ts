import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connectBuildkit } from "../../src/buildkit/index.ts";
import { buildkitdToml } from "../../src/engine-daemon/buildkitd/buildkitd-config.ts";
import { startChild } from "../../src/engine-daemon/buildkitd/child.ts";
import { openLog } from "../../src/engine-daemon/buildkitd/log.ts";
import { thisMachine } from "../../src/engine/choose-machine.ts";

/** A BuildKit daemon that is not the engine's: with an empty cache, as an administrator runs it. */
export interface PrivateBuildkitd {
  address: string;
  stop(): Promise<void>;
}

export async function startPrivateBuildkitd(
  adapt: (toml: string) => string = (toml) => toml,
): Promise<PrivateBuildkitd> {
  const machine = thisMachine();
  const command = machine.findExecutable("buildkitd") ?? machine.builtBuildkitd();
  if (command === undefined) throw new Error("no buildkitd: run `npm run setup` first");
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-buildkitd-"));
  const rootDir = path.join(folder, "root");
  mkdirSync(rootDir);
  const socket = path.join(folder, "buildkitd.sock");
  const mirror = process.env["FASTLOOP_TEST_MIRROR"];
  const toml = buildkitdToml({
    rootDir,
    socket,
    otelSocket: path.join(folder, "otel.sock"),
    ...(mirror === undefined ? {} : { mirror }),
  });
  const config = path.join(folder, "buildkitd.toml");
  writeFileSync(config, adapt(toml));
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
  const child = startChild({
    name: "buildkitd",
    command,
    args: ["--config", config],
    env,
    log: openLog(folder),
    state: folder,
  });
  const address = `unix://${socket}`;
  const stop = async (): Promise<void> => {
    await child.stop(10_000);
    rmSync(folder, { recursive: true, force: true });
  };
  for (;;) {
    const ended = await Promise.race([child.ended, answers(address)]);
    if (ended === "answers") return { address, stop };
    if (ended === "no answer") continue;
    const tail = child.tail();
    await stop();
    throw new Error(`buildkitd ended: ${ended}\n${tail}`);
  }
}

async function answers(address: string): Promise<"answers" | "no answer"> {
  try {
    await (await connectBuildkit(address, 1000)).close();
    return "answers";
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return "no answer";
  }
}
