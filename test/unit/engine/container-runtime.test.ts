import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dockerHost, findContainerRuntime } from "../../../src/engine/dagger/container-runtime.ts";

let folder: string;
const servers: http.Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-runtime-"));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A program on the PATH that stands in for a container runtime's client. */
function program(name: string, script: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A daemon that answers pings with `status`. */
function daemon(status: number): Promise<string> {
  const socket = path.join(folder, "docker.sock");
  const server = http.createServer((_request, response) => response.writeHead(status).end("OK"));
  servers.push(server);
  return new Promise((resolve) => server.listen(socket, () => resolve(`unix://${socket}`)));
}

const env = (more: Record<string, string> = {}): Record<string, string> => ({ PATH: folder, HOME: folder, ...more });

describe("a container runtime", () => {
  it("is missing where none is installed", async () => {
    expect(await findContainerRuntime(env())).toEqual({ missing: "no docker, podman, nerdctl or finch is installed" });
  });

  it("is docker when its daemon answers, without docker being run", async () => {
    program("docker", "exit 99");
    expect(await findContainerRuntime(env({ DOCKER_HOST: await daemon(200) }))).toEqual({ name: "docker" });
  });

  it("is missing where docker is a client without a daemon, and that is known at once", async () => {
    program("docker", "sleep 30");
    const startedAt = performance.now();
    const found = await findContainerRuntime(env({ DOCKER_HOST: `unix://${folder}/none.sock` }));
    expect(performance.now() - startedAt).toBeLessThan(300);
    expect(found).toEqual({
      missing: `docker is installed, but unix://${folder}/none.sock does not answer (not running)`,
    });
  });

  it("is missing where the daemon refuses", async () => {
    program("docker", "exit 0");
    const found = await findContainerRuntime(env({ DOCKER_HOST: await daemon(503) }));
    expect(found).toMatchObject({ missing: expect.stringContaining("answers 503") as string });
  });

  it("is podman when docker does not run and podman does", async () => {
    program("docker", "exit 0");
    program("podman", "exit 0");
    expect(await findContainerRuntime(env({ DOCKER_HOST: `unix://${folder}/none.sock` }))).toEqual({ name: "podman" });
  });

  it("is missing where podman fails, with its first line", async () => {
    program("podman", "echo 'cannot set up namespace' >&2; exit 125");
    expect(await findContainerRuntime(env())).toEqual({ missing: "podman is installed, but cannot set up namespace" });
  });
});

describe("docker's address", () => {
  it("is that of the current context", () => {
    const id = createHash("sha256").update("desktop").digest("hex");
    mkdirSync(path.join(folder, ".docker/contexts/meta", id), { recursive: true });
    writeFileSync(path.join(folder, ".docker/config.json"), JSON.stringify({ currentContext: "desktop" }));
    const meta = { Endpoints: { docker: { Host: "unix:///desktop.sock" } } };
    writeFileSync(path.join(folder, ".docker/contexts/meta", id, "meta.json"), JSON.stringify(meta));
    expect(dockerHost(env())).toBe("unix:///desktop.sock");
    expect(dockerHost(env({ DOCKER_CONTEXT: "default" }))).toBe("unix:///var/run/docker.sock");
    expect(dockerHost(env({ DOCKER_HOST: "tcp://other:1" }))).toBe("tcp://other:1");
  });
});
