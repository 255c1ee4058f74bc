import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { expect, it } from "vitest";
import { shimDir } from "../../../src/engine-daemon/set-up/paths.ts";
import { packageRoot } from "../../../src/paths/index.ts";
import { freePorts } from "../../e2e/up-project.ts";

const shim = path.join(shimDir(packageRoot(), process.arch === "x64" ? "amd64" : process.arch), "shim");

it.runIf(existsSync(shim))(
  "a connection to a port where nobody listens ends, and is not reset, whatever was sent",
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-offer-"));
    const socket = path.join(folder, "socket");
    const [port] = await freePorts(1);
    let told = (_how: string): void => undefined;
    const how = new Promise<string>((resolve) => (told = resolve));
    const server = net.createServer({ allowHalfOpen: true }, (connection) => {
      connection.on("error", ({ message }) => told(message));
      connection.on("end", () => told("end")).resume();
      // More than is read with the port's line.
      connection.write(`${port}\n${"x".repeat(60_000)}`);
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const offer = spawn(shim, ["offer", "--loopback", socket], { stdio: "ignore" });
    try {
      expect(await how).toBe("end");
    } finally {
      offer.kill("SIGKILL");
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
