import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { connectBuildkit, type BuildkitClient } from "../../src/buildkit/index.ts";
import type { ApiResponse, ApiSession } from "../../src/core-api/index.ts";
import { openSessionOn } from "./api-session.ts";
import { fastloop } from "./cli-process.ts";

const perl =
  "$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1) or die; while($c=$s->accept){print $c qq(hello\\n);close $c}";

let buildkit: BuildkitClient;
let session: ApiSession;
let unique = "";
let counting: NodeJS.Timeout;
/** First processes of this test's containers, as the kernel sees them: the most at a time, and each that there was. */
let most = 0;
let seen = new Set<string>();

beforeAll(async () => {
  buildkit = await connectBuildkit(process.env["FASTLOOP_TEST_BUILDKIT"]!);
  return () => buildkit.close();
});

beforeEach(async () => {
  unique = `limit-${randomBytes(6).toString("hex")}`;
  most = 0;
  seen = new Set();
  session = await openSessionOn(buildkit, { workdir: import.meta.dirname, limits: { containers: 2 } });
  counting = setInterval(() => {
    const alive = firstProcesses();
    most = Math.max(most, alive.length);
    for (const pid of alive) seen.add(pid);
  }, 10);
});

afterEach(async () => {
  clearInterval(counting);
  await session.close();
});

/** Processes with this test's mark, and with `word`, that are the first one of a process namespace. */
function firstProcesses(word = ""): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes(unique) || !command.includes(word)) return false;
      return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  });
}

/** Resolves when two of this test's containers whose command says `word` run at once. */
async function twoAlive(word: string): Promise<void> {
  while (firstProcesses(word).length !== 2) await new Promise((resolve) => setTimeout(resolve, 20));
}

const run = (query: string, signal = new AbortController().signal): Promise<ApiResponse> =>
  session.execute({ query }, { signal });

const command = (script: string): string => JSON.stringify(["sh", "-c", `${script} # ${unique}`]);
const exec = (script: string, inside = "{ exitCode }"): string => `withExec(args: ${command(script)}) ${inside}`;
const query = (inside: string): string => `{ container { from(address: "debian:bookworm-slim") { ${inside} } } }`;
const numbers = (count: number): number[] => [...Array(count).keys()];
const ok = (answers: ApiResponse[]): void => {
  for (const answer of answers) expect(answer.errors).toBeUndefined();
};

async function service(name: string): Promise<string> {
  const args = JSON.stringify(["perl", "-MIO::Socket", "-e", `# ${unique} ${name}\n${perl}`]);
  const { data } = await run(query(`withExposedPort(port: 8080) { asService(args: ${args}) { id } }`));
  return (data as { container: { from: { withExposedPort: { asService: { id: string } } } } }).container.from
    .withExposedPort.asService.id;
}

const bound = (ids: readonly string[], inside: string): string =>
  ids.reduceRight((rest, id, index) => `withServiceBinding(alias: "s${index}", service: "${id}") { ${rest} }`, inside);

it("lets two commands live at a time, whatever asks for them", async () => {
  const fields = numbers(4).map(
    (number) => `f${number}: ${exec(`sleep 0.4; : ${number}`, `{ ${exec(`sleep 0.4; : b${number}`)} }`)}`,
  );
  ok(
    await Promise.all([
      run(query(fields.join(" "))),
      ...numbers(3).map((number) => run(query(exec(`sleep 0.4; : c${number}`)))),
    ]),
  );
  expect([most, seen.size]).toEqual([2, 11]);
});

it("holds a Dockerfile's stages to it as well", async () => {
  const stages = numbers(4).map(
    (number) => `FROM debian:bookworm-slim AS s${number}\\nRUN sleep 0.3; : ${unique} > /x${number}\\n`,
  );
  const copies = numbers(4).map((number) => `COPY --from=s${number} /x${number} /x${number}\\n`);
  const dockerfile = `${stages.join("")}FROM debian:bookworm-slim\\n${copies.join("")}`;
  ok([
    await run(`{ directory { withNewFile(path: "Dockerfile", contents: "${dockerfile}") { dockerBuild { sync } } } }`),
  ]);
  expect([most, seen.size]).toEqual([2, 4]);
});

it("counts a service with the command that needs it, and ends idle ones for the next", async () => {
  const ids = await Promise.all(numbers(3).map((number) => service(`${number}`)));
  ok(await Promise.all(ids.map((id, number) => run(query(bound([id], exec(`sleep 0.2; : ${number}`)))))));
  expect([most, seen.size]).toEqual([2, 6]);
});

it("runs what takes more than there is alone", async () => {
  const ids = await Promise.all(numbers(3).map((number) => service(`${number}`)));
  const large = run(query(bound(ids, exec("sleep 0.3; : large"))));
  ok(await Promise.all([large, ...numbers(2).map((number) => run(query(exec(`sleep 0.2; : ${number}`))))]));
  expect([most, seen.size]).toEqual([4, 6]);
});

it("lets nobody wait for ever whose service needs a command first, or who waits for a locked volume", async () => {
  await session.close();
  session = await openSessionOn(buildkit, { workdir: import.meta.dirname, limits: { containers: 1 } });
  const made = await run(query(exec("echo built > /built", `{ asService(args: ${command("sleep 60")}) { id } }`)));
  const id = (made.data as { container: { from: { withExec: { asService: { id: string } } } } }).container.from.withExec
    .asService.id;
  const volume = await run(`{ cacheVolume(key: "${unique}") { id } }`);
  const cache = (volume.data as { cacheVolume: { id: string } }).cacheVolume.id;
  const locked = numbers(4).map((number) => {
    const mount = `withMountedCache(path: "${number % 2 === 0 ? "/aa" : "/zz"}", cache: "${cache}", sharing: LOCKED)`;
    return run(query(`${mount} { ${exec(`sleep 0.1; : ${number}`)} }`));
  });
  ok(await Promise.all([...locked, run(query(bound([id], exec("sleep 0.1; : bound"))))]));
});

it("gives the places of commands that were given up to the next", async () => {
  const aborter = new AbortController();
  const given = numbers(4).map((number) => run(query(exec(`sleep 60; : given ${number}`)), aborter.signal));
  await twoAlive("given");
  aborter.abort();
  await Promise.all(given);
  const next = new AbortController();
  const after = numbers(2).map((number) => run(query(exec(`sleep 60; : after ${number}`)), next.signal));
  await twoAlive("after");
  next.abort();
  await Promise.all(after);
  ok([await run(query(exec("true")))]);
  expect(most).toBeLessThanOrEqual(2);
});

const cgroups = "/sys/fs/cgroup";
const boundsMemory =
  existsSync(path.join(cgroups, "memory/memory.limit_in_bytes")) ||
  (existsSync(path.join(cgroups, "cgroup.controllers")) &&
    /\bmemory\b/.test(readFileSync(path.join(cgroups, "cgroup.controllers"), "utf8")));

it("ends what takes more memory than fastloop.yaml gives to all containers, or says that nothing bounds it", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "limits-"));
  const env = { XDG_STATE_HOME: path.join(folder, "state"), FASTLOOP_ENGINE_IDLE: "10s" };
  try {
    writeFileSync(
      path.join(folder, "fastloop.yaml"),
      'version: 1\nengine: { use: embedded, limits: { memory: "120MB" } }\n',
    );
    const taking = (megabytes: number): string =>
      `f${megabytes}: withExec(args: ["perl", "-e", "$x = 1 x (${megabytes} * 1024 * 1024); print 1"], expect: ANY) { exitCode }`;
    const program = `
      const ask = async (query) => {
        const answer = await fetch("http://127.0.0.1:" + process.env.DAGGER_SESSION_PORT + "/query", {
          method: "POST",
          headers: {
            "content-type": "application/json",
            authorization: "Basic " + btoa(process.env.DAGGER_SESSION_TOKEN + ":"),
          },
          body: JSON.stringify({ query }),
        });
        const { errors } = await answer.json();
        return errors === undefined ? 0 : errors[0].extensions.exitCode;
      };
      console.log(JSON.stringify([await ask(${JSON.stringify(query(taking(20)))}), await ask(${JSON.stringify(query(taking(400)))})]));
    `;
    const { stdout, stderr } = await fastloop(
      ["session", "--", process.execPath, "--input-type=module", "-e", program],
      {
        cwd: folder,
        env,
      },
    );
    expect(stdout, stderr).toContain(boundsMemory ? "[0,137]" : "[0,0]");
    if (!boundsMemory) expect(stderr).toContain("engine.limits.memory");
  } finally {
    await fastloop(["engine", "stop", "--force"], { cwd: folder, env });
    rmSync(folder, { recursive: true, force: true });
  }
});
