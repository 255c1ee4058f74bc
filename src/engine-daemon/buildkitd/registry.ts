/**
 * The local image registry. It serves the base images that set-up bootstrapped where no image registry can be reached
 * (docs/air-gapped.md). It is read-only, and BuildKit's mirror of docker.io.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { type Child, startChild, untilAnswers } from "./child.ts";
import { findExecutable, findSafeExecutable } from "../../paths/index.ts";
import { requireBuilt } from "../../state/index.ts";
import type { Log } from "./log.ts";

export interface Registry {
  /** Address as `127.0.0.1:port`. */
  readonly address: string;
  readonly child: Child;
}

const startTimeoutMs = 10_000;

/**
 * Starts the registry. Resolves to undefined when there is nothing to serve. `images` is the folder that set-up filled.
 * Throws a `UserError` when docker-registry is not installed or does not start.
 */
export async function startRegistry(state: string, images: string, log: Log): Promise<Registry | undefined> {
  const storage = path.join(images, "registry");
  if (!existsSync(path.join(storage, "docker"))) return undefined;
  const command =
    findSafeExecutable("docker-registry").file ??
    findExecutable(path.join(images, "docker-registry", "usr", "bin", "docker-registry"));
  if (command === undefined) {
    throw new UserError("engine-unavailable", `${storage} holds base images, but docker-registry is not installed`, {
      hint: "run `fastloop setup`, or remove that folder to use the image registry of the network",
    });
  }
  const port = await choosePort(path.join(state, "registry-port"));
  const address = `127.0.0.1:${port}`;
  const config = path.join(state, "registry.yml");
  writeFileSync(config, registryConfig(storage, address), { mode: 0o600 });
  mkdirSync(storage, { recursive: true });
  const child = startChild({
    name: "registry",
    command: requireBuilt(command),
    args: ["serve", config],
    // The registry's library would send traces to whatever these variables name.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, OTEL_TRACES_EXPORTER: "none" },
    log,
    state,
  });
  await untilAnswers(child, "the local image registry", () => answers(port), startTimeoutMs);
  return { address, child };
}

function registryConfig(storage: string, address: string): string {
  return [
    "version: 0.1",
    "log: {level: warn, accesslog: {disabled: true}}",
    "storage:",
    `  filesystem: {rootdirectory: ${JSON.stringify(storage)}}`,
    "  maintenance: {readonly: {enabled: true}}",
    `http: {addr: ${JSON.stringify(address)}}`,
    "",
  ].join("\n");
}

/** Returns the previous port if it is free, so that addresses in logs stay the same, or else any free one. */
async function choosePort(file: string): Promise<number> {
  const last = portIn(file);
  const port = (last === undefined ? undefined : await freePort(last)) ?? (await freePort(0));
  if (port === undefined) throw new UserError("engine-unavailable", "no free port on 127.0.0.1");
  try {
    writeFileSync(file, `${port}\n`);
  } catch {
    // The next start then uses another port.
  }
  return port;
}

/** Returns undefined for anything but a port that users may listen on. */
function portIn(file: string): number | undefined {
  try {
    const port = Number(readFileSync(file, "utf8"));
    return Number.isInteger(port) && port > 1023 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

function freePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(undefined));
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, path: "/v2/", timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("error", () => resolve(false));
    request.once("timeout", () => request.destroy());
  });
}
