/** A real npm registry on loopback: Verdaccio, which is installed into the given folder. */
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, vi } from "vitest";

/** The newest that runs on Node 20. One of its dependencies asks for a tag that not every mirror has. */
const verdaccio = { private: true, dependencies: { verdaccio: "6.1.2" }, overrides: { "node-fetch": "2.7.0" } };

export interface NpmRegistry {
  /** With a slash at the end. */
  address: string;
  /** An `.npmrc` that names it, with a login that may publish. */
  npmrc: string;
  stop(): void;
}

/** `uplink`: a registry that has all other packages. */
export async function startNpmRegistry(folder: string, uplink?: string): Promise<NpmRegistry> {
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(verdaccio));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder, stdio: "ignore" });
  const others = uplink === undefined ? "" : ", proxy: others";
  writeFileSync(
    path.join(folder, "registry.yaml"),
    [
      "storage: ./storage",
      "auth: { htpasswd: { file: ./users, max_users: 1 } }",
      ...(uplink === undefined ? [] : [`uplinks: { others: { url: ${JSON.stringify(uplink)} } }`]),
      "packages:",
      "  'fastloop': { access: $all, publish: $authenticated }",
      "  '@fastloop/*': { access: $all, publish: $authenticated }",
      `  '**': { access: $all, publish: $authenticated${others} }`,
      // The engine's package is larger than its 10 MB; and no connection is closed in the face of a request.
      "max_body_size: 200mb",
      "server: { keepAliveTimeout: 3600 }",
      "log: { type: stdout, level: fatal }",
      "",
    ].join("\n"),
  );
  const port = await freePort();
  const address = `http://127.0.0.1:${port}/`;
  const program = path.join(folder, "node_modules/verdaccio/bin/verdaccio");
  const registry = spawn(process.execPath, [program, "--config", "registry.yaml", "--listen", address], {
    cwd: folder,
    stdio: "ignore",
  });
  const answers = (): Promise<boolean> =>
    fetch(`${address}-/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
  // Not expect.poll, which is for tests alone: this is called before them.
  await vi.waitFor(async () => expect(await answers()).toBe(true), { timeout: 120_000, interval: 100 });
  const answer = await fetch(`${address}-/user/org.couchdb.user:release`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "release", password: "a password for loopback" }),
  });
  const { token } = (await answer.json()) as { token: string };
  const npmrc = path.join(folder, "npmrc");
  writeFileSync(npmrc, `registry=${address}\n//127.0.0.1:${port}/:_authToken=${token}\n`);
  return { address, npmrc, stop: () => void registry.kill("SIGKILL") };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
