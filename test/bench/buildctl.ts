import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { findExecutable, packageRoot } from "../../src/paths/index.ts";
import { toolsDir } from "../../src/engine-daemon/set-up/paths.ts";
import { encodeCanonical } from "../../src/llb/proto/pb.ts";
import { definition, exec, image, type Mount, type State } from "../../src/llb/index.ts";
import { Inputs } from "../../src/llb/state.ts";
import { nowMs } from "./process.ts";

/** `buildctl build` on a daemon: what the same work costs with BuildKit's own client, the limit we measure against. */
export interface Buildctl {
  /** Builds the state, written in LLB on stdin; wall time of the whole command in milliseconds. */
  build(state: State, options?: BuildOptions): Promise<number>;
}

export interface BuildOptions {
  /** Host folders that `localTree` names. */
  local?: Readonly<Record<string, string>>;
  /** `--output`. */
  output?: string;
}

/** The PATH that a container gets without an image configuration. */
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The buildctl that set-up built, else the one on the PATH. */
export function buildctl(address: string): Buildctl {
  const built = path.join(toolsDir(packageRoot()), "buildctl");
  const file = existsSync(built) ? built : findExecutable("buildctl");
  if (file === undefined)
    throw new Error("no buildctl to measure against: run `node tools/setup.mjs --only engine,buildctl` first");
  return {
    build: (state, options = {}) => {
      const flags = Object.entries(options.local ?? {}).flatMap(([name, folder]) => ["--local", `${name}=${folder}`]);
      const output = options.output === undefined ? [] : ["--output", options.output];
      const args = ["--addr", address, "build", "--progress", "plain", ...flags, ...output];
      return runBuildctl(file, args, encodeCanonical("pb.Definition", definition(state)));
    },
  };
}

function runBuildctl(file: string, args: readonly string[], input: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const startMs = nowMs();
    const child = spawn(file, args, { stdio: ["pipe", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(nowMs() - startMs);
      else reject(new Error(`buildctl ended with ${code ?? "a signal"}\n${errors.slice(-2000)}`));
    });
    child.stdin.end(input);
  });
}

/** A host folder given with `--local name=…`. */
export function localTree(name: string): State {
  const inputs = new Inputs();
  const vertex = inputs.vertex(
    { source: { identifier: `local://${name}`, attrs: { "local.sharedkeyhint": name } } },
    {},
  );
  return { vertex, output: 0 };
}

/** The root file system after `sh -c script` on the image, with a tree mounted at /src where one is given. */
export function execOn(reference: string, script: string, tree?: State): State {
  const mounts: Mount[] = tree === undefined ? [] : [{ kind: "bind", from: tree, destination: "/src", readonly: true }];
  const run = exec({
    root: image(reference),
    args: ["sh", "-c", script],
    env: [searchPath],
    cwd: tree === undefined ? "/" : "/src",
    mounts,
  });
  return run.root;
}
