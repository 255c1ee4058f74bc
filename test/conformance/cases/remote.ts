import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTcpServer, connect, type AddressInfo } from "node:net";
import path from "node:path";
import { baseImage, type ConformanceCase } from "./case.ts";

const loopbackOnly = {
  engine: "embedded",
  reason: "a Dagger engine's network is not this machine's loopback",
} as const;

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, "127.0.0.1");
    const connected = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}

/** A repository with two branches and a tag, served over the git protocol while `use` runs. */
export async function withRepository<T>(
  folder: string,
  use: (url: string, commits: string[]) => Promise<T>,
): Promise<T> {
  const repository = path.join(folder, "repository");
  await mkdir(repository);
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: repository,
      encoding: "utf8",
    }).trim();
  git("init", "-q", "-b", "main");
  await writeFile(path.join(repository, "f"), "one");
  git("add", "f");
  git("commit", "-q", "-m", "one");
  git("tag", "-a", "v1.0.0", "-m", "one");
  const first = git("rev-parse", "HEAD");
  git("checkout", "-q", "-b", "other");
  await writeFile(path.join(repository, "f"), "two");
  git("commit", "-q", "-a", "-m", "two");
  const second = git("rev-parse", "HEAD");
  git("checkout", "-q", "main");
  git("config", "uploadpack.allowReachableSHA1InWant", "true");
  const port = await freePort();
  const args = [
    "daemon",
    "--reuseaddr",
    "--export-all",
    "--listen=127.0.0.1",
    `--port=${port}`,
    `--base-path=${folder}`,
    folder,
  ];
  const daemon: ChildProcess = spawn("git", args, { stdio: "ignore", detached: true });
  try {
    await answers(port);
    return await use(`git://127.0.0.1:${port}/repository`, [first, second]);
  } finally {
    if (daemon.pid !== undefined) process.kill(-daemon.pid, "SIGTERM");
  }
}

export const remoteCases: ConformanceCase[] = [
  {
    name: "a branch, a tag and a commit of a repository are their trees",
    run: ({ dag, folder }) =>
      withRepository(folder, async (url, [first, second]) => {
        const repository = dag.git(url);
        return [
          await repository.branch("other").tree().file("f").contents(),
          await repository.tag("v1.0.0").tree().file("f").contents(),
          await repository.commit(first!).tree().file("f").contents(),
          (await repository.branch("other").commit()) === second,
          (await repository.tag("v1.0.0").commit()) === first,
          await repository.head().ref(),
          await repository.branches(),
          // A Dagger engine lists an annotated tag twice: itself and what it points to.
          [...new Set(await repository.tags())],
        ];
      }),
    expected: ["two", "one", "one", true, true, "refs/heads/main", ["main", "other"], ["v1.0.0"]],
    only: loopbackOnly,
  },
  {
    name: "a ref that is not there is an error that names it",
    run: ({ dag, folder }) => withRepository(folder, (url) => dag.git(url).branch("nope").commit()),
    fails: { message: /nope/ },
    only: loopbackOnly,
  },
  {
    name: "a file over http has the answer's content, and its checksum is checked",
    run: async ({ dag, unique }) => {
      const server = createServer((_request, response) => response.end(`answer ${unique}`)).listen(0, "127.0.0.1");
      await once(server, "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir/name.txt`;
      try {
        const file = dag.http(url);
        const wrong = await dag
          .http(url, { checksum: `sha256:${"0".repeat(64)}` })
          .contents()
          .then(
            () => "accepted",
            (error: Error) => (/digest mismatch|checksum/.test(error.message) ? "refused" : error.message),
          );
        return [(await file.contents()) === `answer ${unique}`, await file.name(), wrong];
      } finally {
        server.close();
      }
    },
    expected: [true, "name.txt", "refused"],
    only: loopbackOnly,
  },
  {
    name: "a file over http can be used in a container",
    run: async ({ dag, unique }) => {
      const server = createServer((_request, response) => response.end(unique)).listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const file = dag.http(`http://127.0.0.1:${(server.address() as AddressInfo).port}/f`, { permissions: 0o644 });
        return (
          (await dag.container().from(baseImage).withMountedFile("/f", file).withExec(["cat", "/f"]).stdout()) ===
          unique
        );
      } finally {
        server.close();
      }
    },
    expected: true,
    only: loopbackOnly,
  },
];
