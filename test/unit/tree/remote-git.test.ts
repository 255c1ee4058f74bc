import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fetchGitRefs } from "../../../src/core-api/git/refs.ts";
import { quietSsh, runRemoteGit } from "../../../src/tree/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-remote-git-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const program = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
};
const noted = (name: string): string => readFileSync(path.join(folder, name), "utf8").trim();
const isThere = (pid: number): boolean => {
  try {
    // A process that nobody has waited for yet has ended.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
const git = (words: string[], more: Partial<Parameters<typeof runRemoteGit>[1]> = {}) =>
  runRemoteGit(words, { env: process.env, timeoutMs: 60_000, maxBytes: 1000, ...more });

describe("git that talks to a remote", () => {
  it("that is silent ends after its time, with all that it started", async () => {
    const GIT_SSH_COMMAND = program("ssh", `sleep 600 & echo $! > ${folder}/pid; wait`);
    const env = { ...process.env, GIT_SSH_COMMAND };
    const listing = git(["ls-remote", "ssh://host.example/a"], { env, timeoutMs: 1500 });
    await expect(listing).rejects.toThrow("git took more than 1.5 s");
    await vi.waitFor(() => expect(isThere(Number(noted("pid")))).toBe(false), 5000);
  });

  it("ends after its time though a process that it started has left its group", async () => {
    const GIT_SSH_COMMAND = program("ssh", `setsid sleep 600 & echo $! > ${folder}/pid; wait`);
    const env = { ...process.env, GIT_SSH_COMMAND };
    await expect(git(["ls-remote", "ssh://host.example/a"], { env, timeoutMs: 1500 })).rejects.toThrow("1.5 s");
    process.kill(Number(noted("pid")), "SIGKILL");
  });

  it("that is silent on HTTP ends with the request that wanted it", async () => {
    let heard = (): void => undefined;
    const asked = new Promise<void>((resolve) => (heard = resolve));
    let gone = (): void => undefined;
    const hungUp = new Promise<void>((resolve) => (gone = resolve));
    const server = net.createServer((socket) => {
      socket.on("error", () => undefined).once("close", gone);
      socket.once("data", heard);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const ending = new AbortController();
    const listing = fetchGitRefs(`http://127.0.0.1:${port}/a`, environment(), ending.signal, {});
    await asked;
    ending.abort(new Error("nobody wants it"));
    await expect(listing).rejects.toThrow("nobody wants it");
    // The helper of the transport holds the connection: it has ended, too.
    await hungUp;
    server.close();
  });

  it("asks nobody, on no terminal and by no program", async () => {
    const asking = program("ask", `echo asked >> ${folder}/asked; echo secret`);
    const env = { ...environment(), GIT_ASKPASS: asking, SSH_ASKPASS: asking, DISPLAY: ":0" };
    const server = net.createServer((socket) => {
      socket
        .on("error", () => undefined)
        .once("data", () =>
          socket.end('HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const listing = fetchGitRefs(`http://127.0.0.1:${port}/a`, env, new AbortController().signal, {});
    await expect(listing).rejects.toThrow(/could not read Username/);
    expect(() => noted("asked")).toThrow("ENOENT");
    server.close();

    const seen = program(
      "ssh",
      `(tty; cat /dev/tty) > ${folder}/tty 2>&1; env > ${folder}/env; echo "$@" > ${folder}/args`,
    );
    writeFileSync(path.join(folder, "config"), `[core]\n  sshCommand = ${seen} -v\n`);
    const own = { ...env, GIT_CONFIG_GLOBAL: path.join(folder, "config") };
    const ssh = fetchGitRefs("ssh://host.example/a", own, new AbortController().signal, {});
    await expect(ssh).rejects.toThrow("git ls-remote ssh://host.example/a");
    expect(noted("args")).toMatch(/^-v -o BatchMode=yes /);
    expect(noted("tty")).toMatch(/not a tty[^]*\/dev\/tty/);
    expect(noted("env")).toContain("SSH_ASKPASS_REQUIRE=never");
  });

  it("may not answer without end", async () => {
    const GIT_SSH_COMMAND = program(
      "ssh",
      "while :; do printf '003e0123456789012345678901234567890123456789 refs/heads/%05d\\n' 1; done",
    );
    const env = { ...process.env, GIT_SSH_COMMAND };
    const listing = git(["ls-remote", "ssh://host.example/a"], { env, timeoutMs: 3000 });
    await expect(listing).rejects.toThrow(/more than|git ended/);
    await expect(git(["help", "-a"])).rejects.toThrow("git's answer has more than");
  });

  it("is told as missing where it is", async () => {
    await expect(git(["version"], { env: { PATH: folder } })).rejects.toMatchObject({ kind: "missing" });
  });
});

it("leaves other programs than OpenSSH their own options", () => {
  expect(quietSsh({}, "")).toEqual({ GIT_SSH_COMMAND: "ssh -o BatchMode=yes" });
  expect(quietSsh({}, "/usr/bin/ssh -i key\n")).toEqual({ GIT_SSH_COMMAND: "/usr/bin/ssh -i key -o BatchMode=yes" });
  expect(quietSsh({ GIT_SSH_COMMAND: "plink" }, "ssh")).toEqual({});
  expect(quietSsh({ GIT_SSH: "/usr/bin/plink" }, "")).toEqual({});
});

function environment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
}
