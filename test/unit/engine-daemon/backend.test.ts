import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startBackend } from "../../../src/engine-daemon/buildkitd/backend.ts";
import type { Log } from "../../../src/engine-daemon/buildkitd/log.ts";

/** Listens where buildkitd would, and says nothing. */
const silent = `
const fs = require("node:fs"), net = require("node:net");
fs.writeFileSync(__dirname + "/pid", String(process.pid));
const socket = /unix:\\/\\/([^"]*buildkitd\\.sock)/.exec(fs.readFileSync(process.argv[3], "utf8"))[1];
net.createServer((connection) => connection.resume()).listen(socket);
`;

it.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
  "stops a buildkitd that starts and does not answer",
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-backend-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const command = path.join(folder, "buildkitd");
    writeFileSync(path.join(folder, "silent.cjs"), silent);
    writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${folder}/silent.cjs" "$@"\n`);
    chmodSync(command, 0o755);
    const log = { write: () => undefined } as unknown as Log;
    const unexpected = (what: unknown): void => expect(what).toBeUndefined();
    const starting = startBackend({
      state: folder,
      source: { buildkitd: command },
      log,
      answerMs: 500,
      onLost: unexpected,
      onBroken: unexpected,
    });
    await expect(starting).rejects.toThrow("no BuildKit daemon answers");
    expect(() => process.kill(Number(readFileSync(path.join(folder, "pid"), "utf8")), 0)).toThrow("ESRCH");
  },
);
