import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startBackend } from "../../../src/engine-daemon/buildkitd/backend.ts";
import type { Log } from "../../../src/engine-daemon/buildkitd/log.ts";

/** The start of a daemon whose buildkitd is this script. */
function startWith(script: string, answerMs?: number): { folder: string; starting: ReturnType<typeof startBackend> } {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-backend-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const command = path.join(folder, "buildkitd");
  writeFileSync(path.join(folder, "script.cjs"), script);
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${folder}/script.cjs" "$@"\n`);
  chmodSync(command, 0o755);
  const log = { write: () => undefined, masked: (text: string) => text } as unknown as Log;
  const unexpected = (what: unknown): void => expect(what).toBeUndefined();
  const source = { buildkitd: command };
  return {
    folder,
    starting: startBackend({ state: folder, source, log, answerMs, onLost: unexpected, onBroken: unexpected }),
  };
}

/** Listens where buildkitd would, and says nothing. */
const silent = `
const fs = require("node:fs"), net = require("node:net");
fs.writeFileSync(__dirname + "/pid", String(process.pid));
const socket = /unix:\\/\\/([^"]*buildkitd\\.sock)/.exec(fs.readFileSync(process.argv[3], "utf8"))[1];
fs.rmSync(socket, { force: true });
net.createServer((connection) => connection.resume()).listen(socket);
`;

it.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
  "stops a buildkitd that starts and does not answer",
  async () => {
    const { folder, starting } = startWith(silent, 500);
    await expect(starting).rejects.toThrow("buildkitd listens but did not respond within 0.5 s");
    expect(() => process.kill(Number(readFileSync(path.join(folder, "pid"), "utf8")), 0)).toThrow("ESRCH");
  },
);

/** Listens for a moment, and ends as one does that can't set up its workers. */
const dying = `
const fs = require("node:fs"), net = require("node:net");
const socket = /unix:\\/\\/([^"]*buildkitd\\.sock)/.exec(fs.readFileSync(process.argv[3], "utf8"))[1];
fs.rmSync(socket, { force: true });
net.createServer((connection) => connection.resume()).listen(socket);
setTimeout(() => { console.error("buildkitd: no worker"); process.exit(1); }, 400);
`;

it.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
  "says at once that a buildkitd has ended that listened, and with which words",
  async () => {
    const { starting } = startWith(dying);
    await expect(starting).rejects.toMatchObject({
      message: "buildkitd did not start (exit code 1)",
      detail: expect.stringContaining("buildkitd: no worker") as string,
    });
  },
);
