/**
 * Finds a container runtime that answers. A client without its daemon is common (docker installed but not running), so
 * a program on the PATH is not enough. Sockets are asked directly, because `docker info` is slow without a daemon.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { findExecutable, homeFolder } from "../../paths/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Local sockets answer within milliseconds; the rest is for a host under load. */
const socketTimeoutMs = 250;
/** Limit for runtimes that can only be asked by running a program. */
const programTimeoutMs = 2000;

/** Tries the runtimes in the order in which Dagger itself does. */
export async function findContainerRuntime(env: Environment): Promise<{ name: string } | { missing: string }> {
  const problems: string[] = [];
  for (const name of ["docker", "podman", "nerdctl", "finch"] as const) {
    const command = findExecutable(name, env);
    if (command === undefined) continue;
    const problem = await problemOf(name, command, env);
    if (problem === undefined) return { name };
    problems.push(`${name} is installed, but ${problem}`);
  }
  return { missing: problems.length === 0 ? "no docker, podman, nerdctl or finch is installed" : problems.join("; ") };
}

function problemOf(name: string, command: string, env: Environment): Promise<string | undefined> {
  if (name === "docker") return dockerProblem(command, env);
  if (name === "nerdctl") return nerdctlProblem(env);
  // podman needs no daemon on Linux, and finch asks its virtual machine: both have to be run to find out.
  return programProblem(command, [name === "finch" ? "info" : "version"], env);
}

async function dockerProblem(command: string, env: Environment): Promise<string | undefined> {
  const host = dockerHost(env);
  const url = URL.parse(host);
  if (url?.protocol === "unix:" || url?.protocol === "npipe:") {
    return ping({ socketPath: url.protocol === "npipe:" ? url.pathname.replaceAll("/", "\\") : url.pathname }, host);
  }
  if (url?.protocol === "tcp:" && !env["DOCKER_TLS_VERIFY"]) {
    return ping({ host: url.hostname, port: url.port }, host);
  }
  return programProblem(command, ["version", "--format", "{{.Server.Version}}"], env);
}

/**
 * Resolves the address as the docker client does: DOCKER_HOST, DOCKER_CONTEXT, the current context, the default socket.
 */
export function dockerHost(env: Environment): string {
  if (env["DOCKER_HOST"]) return env["DOCKER_HOST"];
  const fallback = process.platform === "win32" ? "npipe:////./pipe/docker_engine" : "unix:///var/run/docker.sock";
  const folder = env["DOCKER_CONFIG"] || path.join(homeFolder(env), ".docker");
  try {
    const config = JSON.parse(readFileSync(path.join(folder, "config.json"), "utf8")) as { currentContext?: string };
    const context = env["DOCKER_CONTEXT"] || config.currentContext || "default";
    if (context === "default") return fallback;
    const id = createHash("sha256").update(context).digest("hex");
    const meta = JSON.parse(readFileSync(path.join(folder, "contexts", "meta", id, "meta.json"), "utf8")) as {
      Endpoints?: { docker?: { Host?: string } };
    };
    return meta.Endpoints?.docker?.Host ?? fallback;
  } catch {
    return fallback;
  }
}

function ping(target: http.RequestOptions, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ ...target, path: "/_ping", timeout: socketTimeoutMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `${host} answers ${response.statusCode}`);
    });
    request.once("timeout", () => request.destroy(new Error(`no answer within ${socketTimeoutMs} ms`)));
    request.once("error", (error: NodeJS.ErrnoException) => resolve(`${host} does not answer (${reason(error)})`));
  });
}

function nerdctlProblem(env: Environment): Promise<string | undefined> {
  const rootless = env["XDG_RUNTIME_DIR"];
  const socket =
    process.getuid?.() !== 0 && rootless !== undefined
      ? path.join(rootless, "containerd-rootless", "api.sock")
      : (env["CONTAINERD_ADDRESS"] ?? "/run/containerd/containerd.sock");
  return new Promise((resolve) => {
    const connection = net.connect({ path: socket, timeout: socketTimeoutMs }, () => {
      connection.destroy();
      resolve(undefined);
    });
    connection.once("timeout", () => connection.destroy(new Error("no answer")));
    connection.once("error", (error: NodeJS.ErrnoException) => resolve(`${socket} does not answer (${reason(error)})`));
  });
}

function programProblem(command: string, args: string[], env: Environment): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: programTimeoutMs, killSignal: "SIGKILL", env: { ...env } } as const;
    execFile(command, args, options, (error, _stdout, stderr) => {
      if (error === null) resolve(undefined);
      else if (error.killed === true) resolve(`it does not answer within ${programTimeoutMs} ms`);
      else resolve(stderr.trim().split("\n")[0] || error.message);
    });
  });
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED") return "not running";
  if (error.code === "EACCES") return "permission denied";
  return error.code ?? error.message;
}
