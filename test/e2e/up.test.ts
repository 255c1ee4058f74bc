import { once } from "node:events";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TerminalProcess } from "./terminal-process.ts";
import { freePorts, get, isRunning, server, until, UpProject } from "./up-project.ts";
import type { WatchEvent } from "./loop-project.ts";

const image = "debian:bookworm-slim";
const stateOf = (event: WatchEvent) => event["service"] as { name: string; phase: string; reason?: string };
const isState =
  (name: string, phase: string) =>
  (event: WatchEvent): boolean =>
    event.event === "state" && stateOf(event).name === name && stateOf(event).phase === phase;

let project: UpProject;
beforeEach(() => {
  project = new UpProject();
});
afterEach(() => project.remove());

/** db, api that needs it, and other; each says its own name, which is in its command line, too. */
async function stack(
  more: Record<string, object> = {},
): Promise<{ db: number; api: number; other: number; tag: string }> {
  const [db = 0, api = 0, other = 0] = await freePorts(3);
  const tag = `tag${db}x${api}`;
  project.configure({
    services: {
      db: { image, command: server(`db ${tag}`), ports: `${db}:8080`, ...more["db"] },
      api: { image, command: server(`api ${tag}`), ports: `${api}:8080`, needs: ["db"], ...more["api"] },
      other: { image, command: server(`other ${tag}`), ports: `${other}:8080`, ...more["other"] },
    },
  });
  return { db, api, other, tag };
}

describe("fastloop up", () => {
  it("starts what is asked for and what that needs, in this order, and leaves nothing behind", async () => {
    const { db, api, other, tag } = await stack();
    const up = project.up("api");
    await up.next("settled");
    expect(await get(api)).toBe(`api ${tag}\n`);
    expect(await get(db)).toBe(`db ${tag}\n`);
    expect(await get(other)).toBeUndefined();
    const place = (name: string, phase: string): number => up.events.findIndex(isState(name, phase));
    expect(place("api", "building")).toBeGreaterThan(place("db", "healthy"));
    expect(up.events.some((event) => event.event === "log" && event.name === "api")).toBe(true);
    expect(isRunning(tag)).toBe(true);
    expect(await up.kill("SIGINT")).toBe(130);
    await until(
      () => isRunning(tag),
      (runs) => !runs,
    );
    expect(await get(api)).toBeUndefined();
  });

  it("takes all ports before anything is built, and names who has one", async () => {
    const { api } = await stack();
    const holder = net.createServer().listen(api, "127.0.0.1");
    await once(holder, "listening");
    try {
      const { exitCode, stderr, stdout } = await project.run("up", "--services", "api,other");
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`port ${api} of \`api\` can't be had: process ${process.pid} has it`);
      expect(stderr).toMatch(/hint: .*up: \{ api: \{ ports: "\d+:8080" \} \}/);
      expect(stdout).not.toContain("building");
    } finally {
      holder.close();
    }
  });

  it("has a service reach what it needs by its name", async () => {
    const { api, tag } = await stack({
      api: {
        command: [
          "perl",
          "-MIO::Socket",
          "-e",
          `$d=IO::Socket::INET->new(PeerAddr=>"db",PeerPort=>8080) or die "no db: $!"; print $d "GET / HTTP/1.0\\r\\n\\r\\n"; @l=<$d>;
$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1); while($c=$s->accept){ while(($h=<$c>)=~/\\S/){} print $c "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nvia $l[-1]"; close $c }`,
        ],
      },
    });
    const up = project.up("api");
    await up.next("settled");
    expect(await get(api)).toBe(`via db ${tag}\n`);
  });

  it("is healthy when the path answers, not as soon as the port is open", async () => {
    const { api, tag } = await stack({
      api: {
        health: "/health",
        command: ["sh", "-c", `touch /tmp/sick; (sleep 1; rm /tmp/sick) & exec "$@"`, "sh", ...server("api slow")],
      },
    });
    const up = project.up("api");
    await up.until((events) => events.some(isState("api", "healthy")));
    expect(await get(api)).toBe("api slow\n");
    expect(tag).not.toBe("");
  });

  it("tells why a service did not start, goes on with the others, and with none it ends", async () => {
    const broken = { command: ["sh", "-c", "echo no license; exit 3"] };
    const { other, tag } = await stack({ db: broken });
    const up = project.up();
    await up.next("settled");
    const failed = up.events.filter(isState("db", "failed")).map(stateOf);
    expect(failed[0]?.reason).toContain("no license");
    expect(up.events.find(isState("api", "failed"))).toMatchObject({
      service: { reason: "it needs `db`, which is not healthy" },
    });
    expect(await get(other)).toBe(`other ${tag}\n`);
    await up.kill("SIGTERM");
    const alone = await project.run("up", "api");
    expect(alone.exitCode).toBe(1);
    expect(alone.stderr).toContain("db is failed, api is failed");
  });

  it("tells that a service ended by itself, with its last output", async () => {
    const { other } = await stack();
    const up = project.up("other");
    await up.next("settled");
    await get(other, "/die");
    await up.until((events) => events.some(isState("other", "ended")));
    expect(stateOf(up.events.find(isState("other", "ended"))!).reason).toContain("asked to die");
    expect(up.child.exitCode).toBeNull();
  });

  it("goes on in the background, and other commands look at it, restart it and end it", async () => {
    const { db, api, tag } = await stack();
    const started = await project.run("up", "-d", "api");
    expect(started).toMatchObject({ exitCode: 0 });
    expect(started.stderr).toContain(`api: healthy`);
    const status = await project.run("status", "--json");
    expect(JSON.parse(status.stdout)).toMatchObject({
      project: "stack",
      healthy: true,
      services: [
        { name: "db", phase: "healthy", ports: [{ host: db, container: 8080 }] },
        { name: "api", phase: "healthy", ports: [{ host: api, container: 8080 }] },
      ],
    });
    expect((await project.run("up")).stderr).toContain("services of stack are up already");
    await get(api, "/hello");
    await until(
      () => project.run("logs", "api", "--grep", "hello"),
      ({ stdout }) => stdout.includes("GET /hello"),
    );
    const restarted = await project.run("restart", "db");
    expect(restarted).toMatchObject({ exitCode: 0 });
    expect(await get(api)).toBe(`api ${tag}\n`);
    // What needs it was made anew as well.
    expect((await project.run("logs", "api", "--grep", "listens")).stdout.trim().split("\n")).toHaveLength(2);
    expect(await project.run("down")).toMatchObject({ exitCode: 0, stderr: "" });
    await until(
      () => isRunning(tag),
      (runs) => !runs,
    );
    expect(await project.run("status")).toMatchObject({ exitCode: 2 });
  });

  it("says in the background what does not start, and keeps what does", async () => {
    await stack({ db: { command: ["sh", "-c", "exit 3"] } });
    const started = await project.run("up", "--wait", "api", "other");
    expect(started.exitCode).toBe(1);
    expect(started.stderr).toContain("db is failed, api is failed");
    const { stdout, exitCode } = await project.run("status");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/other +healthy/);
  });

  it("names who keeps the others when the time is up", async () => {
    await stack({
      other: { health: "/x", command: ["sh", "-c", `touch /tmp/sick; exec "$@"`, "sh", ...server("never")] },
    });
    const started = await project.run("up", "--wait", "--timeout", "15s", "other");
    expect(started.exitCode).toBe(4);
    expect(started.stderr).toMatch(/other is (building|starting)|nothing is up yet/);
  });

  it("opens a shell in a service, and shows them on a terminal", async () => {
    const { tag } = await stack();
    expect((await project.run("up", "-d", "other")).exitCode).toBe(0);
    const shell = new TerminalProcess(project.root, ["shell", "other"]);
    try {
      await shell.shows(/[$#]$/m);
      shell.press("tr '\\0' ' ' < /proc/1/cmdline | grep -o 'tag[0-9x]*' | head -1\r");
      await shell.shows(new RegExp(`^${tag}`, "m"));
      shell.press("exit 3\r");
      await shell.shows("exit");
    } finally {
      await shell.remove();
    }
    await project.run("down");
    const view = new TerminalProcess(project.root, ["up", "other"]);
    try {
      await view.shows(/other +healthy/);
      view.press("q");
      expect(await view.end()).toContain("ended with 0");
      await until(
        () => isRunning(tag),
        (runs) => !runs,
      );
    } finally {
      await view.remove();
    }
  });

  it("leaves nothing when it is killed", async () => {
    const { api, tag } = await stack();
    const up = project.up("api");
    await up.next("settled");
    await up.kill("SIGKILL");
    await until(
      () => isRunning(tag),
      (runs) => !runs,
    );
    expect(await get(api)).toBeUndefined();
    // Nothing of it is in the next one's way.
    const again = project.up("api");
    await again.next("settled");
    expect(await get(api)).toBe(`api ${tag}\n`);
  });

  it("keeps what is on a volume", async () => {
    const { other } = await stack({
      other: {
        volumes: { data: "/data" },
        command: ["sh", "-c", `cat /data/was >&2; echo kept >> /data/was; exec "$@"`, "sh", ...server("volume")],
      },
    });
    for (const _time of ["first", "second"]) {
      const up = project.up("other");
      await up.next("settled");
      expect(await get(other)).toBe("volume\n");
      await up.kill("SIGINT");
    }
    expect((await project.run("logs", "other", "--grep", "kept")).stdout).toContain("kept");
  });

  it("starts the module's @up() functions, and refuses those that can't be", async () => {
    const [port = 0] = await freePorts(1);
    project.write("fastloop.yaml", JSON.stringify({ version: 1, up: { greeter: { ports: `${port}:8080` } } }));
    project.write(
      "dagger.json",
      JSON.stringify({ name: "stack", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" }),
    );
    project.write("ci/package.json", JSON.stringify({ type: "module" }));
    const body = (more = ""): string => `import { dag, func, object, up, type Service } from "@dagger.io/dagger"
@object()
export class Stack {
  @func() @up()
  greeter(${more}): Service {
    return dag.container().from("${image}").withExposedPort(8080).asService({ args: ${JSON.stringify(server("hello of a function"))} })
  }
}
`;
    project.write("ci/src/index.ts", body());
    const started = project.up();
    await started.next("settled");
    expect(await get(port)).toBe("hello of a function\n");
    await started.kill("SIGINT");
    project.write("ci/src/index.ts", body("name: string"));
    const refused = await project.run("up");
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("must be callable without arguments");
  });
});
