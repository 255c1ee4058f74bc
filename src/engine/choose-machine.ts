/** The host as `chooseEngine` sees it. Programs are only looked up, not run, wherever that suffices. */
import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import type { Machine } from "./choose.ts";
import { findContainerRuntime } from "./dagger/container-runtime.ts";
import { toolsDir } from "../engine-daemon/index.ts";
import { packageRoot, findExecutable, findSafeExecutable } from "../paths/index.ts";

export function thisMachine(env: Machine["env"] = process.env): Machine {
  return {
    env,
    findExecutable: (name) => findExecutable(name, env),
    findSafeExecutable: (name) => findSafeExecutable(name, env),
    containerRuntime: () => findContainerRuntime(env),
    runnerHostProblem: (address) => runnerHostProblem(address, env),
    builtBuildkitd() {
      const file = path.join(toolsDir(packageRoot(), env), "buildkitd");
      return existsSync(file) ? file : undefined;
    },
  };
}

const probeTimeoutMs = 2000;

/**
 * Checks a runner address. `dagger session` hangs silently for minutes on a dead `unix://` or `tcp://` runner, so those
 * are probed first. The other schemes start or find their engine through a program of their own.
 */
async function runnerHostProblem(address: string, env: Machine["env"]): Promise<string | undefined> {
  const url = URL.parse(address);
  if (url === null) return "that is not an address";
  if (url.protocol === "unix:") return connectProblem({ path: url.pathname });
  if (url.protocol === "tcp:" || url.protocol === "tls:") {
    return connectProblem({ host: url.hostname, port: Number(url.port) });
  }
  if (/^(docker-)?(container|image):$/.test(url.protocol)) {
    const runtime = await findContainerRuntime(env);
    return "missing" in runtime ? runtime.missing : undefined;
  }
  return undefined;
}

function connectProblem(target: net.NetConnectOpts): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ ...target, timeout: probeTimeoutMs }, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("timeout", () => {
      socket.destroy();
      resolve(`no answer within ${probeTimeoutMs} ms`);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
