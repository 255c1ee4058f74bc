import { mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { imagesDir } from "../../src/engine-daemon/set-up/paths.ts";
import { findExecutable } from "../../src/paths/index.ts";
import { RunningProgram } from "./process.ts";

export interface BenchRegistry {
  /** `127.0.0.1:port`. */
  address: string;
  stop(): Promise<void>;
}

const attempts = 100;

/** An empty image registry on loopback, to publish to; for all, or for the users of an `htpasswd` line; with a certificate, by TLS. */
export async function startRegistry(
  folder: string,
  htpasswd?: string,
  tls?: { certificate: string; key: string },
): Promise<BenchRegistry> {
  const bundled = path.join(imagesDir(), "docker-registry/usr/bin/docker-registry");
  const file = findExecutable("docker-registry") ?? findExecutable(bundled);
  if (file === undefined) throw new Error("no docker-registry to publish to: run `npm run setup` first");
  const address = `127.0.0.1:${await freePort()}`;
  const storage = path.join(folder, "registry");
  mkdirSync(storage, { recursive: true });
  const config = path.join(folder, "registry.yml");
  const lines = [
    "version: 0.1",
    "log: {level: warn}",
    `storage: {filesystem: {rootdirectory: ${storage}}, delete: {enabled: true}}`,
  ];
  if (htpasswd !== undefined) {
    writeFileSync(path.join(folder, "htpasswd"), `${htpasswd}\n`);
    lines.push(`auth: {htpasswd: {realm: test, path: ${path.join(folder, "htpasswd")}}}`);
  }
  const certified = tls === undefined ? "" : `, tls: {certificate: ${tls.certificate}, key: ${tls.key}}`;
  writeFileSync(config, `${[...lines, `http: {addr: "${address}"${certified}}`].join("\n")}\n`);
  const program = new RunningProgram({
    file,
    args: ["serve", config],
    cwd: folder,
    env: { OTEL_TRACES_EXPORTER: "none" },
  });
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (program.exitCode !== undefined) throw new Error(`the registry ended\n${program.tail()}`);
    const answer = await fetch(`http://${address}/v2/`).catch(() => undefined);
    // Who asks by HTTP is told so by one that speaks TLS.
    if (answer?.ok === true || answer?.status === (tls === undefined ? 401 : 400))
      return { address, stop: () => program.stop() };
    await sleep(50);
  }
  throw new Error(`the registry does not answer\n${program.tail()}`);
}

/** A port on loopback that nobody listens on right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
