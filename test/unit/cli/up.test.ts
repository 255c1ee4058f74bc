import { once } from "node:events";
import net from "node:net";
import { describe, expect, it } from "vitest";
import { freePorts, get, image, isState, server, stack, stateOf, until } from "../../e2e/up-project.ts";
import { canRunEngine } from "../own-engine.ts";
import { beforeEachProject, type OwnUpProject } from "./own-up-project.ts";

let project: OwnUpProject;
beforeEachProject((made) => {
  project = made;
});

describe.runIf(canRunEngine)("fastloop up", () => {
  it("has other commands look at it, restart a service, and end it", async () => {
    const { db, api, tag } = await stack(project);
    const up = project.start("api");
    await up.next("settled");
    const status = await project.run("status", "--json");
    expect(JSON.parse(status.stdout)).toMatchObject({
      project: "stack",
      healthy: true,
      services: [
        { name: "db", phase: "healthy", ports: [{ host: db, container: 8080 }] },
        { name: "api", phase: "healthy", ports: [{ host: api, container: 8080 }] },
      ],
    });
    expect((await project.run("status")).stdout).toMatch(/^api +healthy/m);
    expect((await project.run("up")).stderr).toContain("services of stack are up already");
    await get(api, "/hello");
    await until(
      () => project.run("logs", "api", "--grep", "hello"),
      ({ stdout }) => stdout.includes("GET /hello"),
    );
    expect(await project.run("restart", "db")).toMatchObject({ exitCode: 0 });
    expect(await get(api)).toBe(`api ${tag}\n`);
    // What needs it was made anew as well.
    expect((await project.run("logs", "api", "--grep", "listens")).stdout.trim().split("\n")).toHaveLength(2);
    expect(await project.run("down")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await up.end()).toBe(0);
    expect(await project.run("status")).toMatchObject({ exitCode: 2 });
  });

  it("takes all ports before anything is built, and names who has one", async () => {
    const { api } = await stack(project);
    const holder = net.createServer().listen(api, "127.0.0.1");
    await once(holder, "listening");
    try {
      const { exitCode, stderr, stdout } = await project.run("up", "--services", "api,other");
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`port ${api} of \`api\` is not available: process ${process.pid} has it`);
      expect(stderr).toMatch(/hint: .*up: \{ api: \{ ports: "\d+:8080" \} \}/);
      expect(stdout).not.toContain("building");
    } finally {
      holder.close();
    }
  });

  it("has a service reach what it needs by its name", async () => {
    const { api, tag } = await stack(project, {
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
    const up = project.start("api");
    await up.next("settled");
    expect(await get(api)).toBe(`via db ${tag}\n`);
  });

  it("is healthy when the path answers, not as soon as the port is open", async () => {
    const { api, tag } = await stack(project, {
      api: {
        health: "/health",
        command: ["sh", "-c", `touch /tmp/sick; (sleep 1; rm /tmp/sick) & exec "$@"`, "sh", ...server("api slow")],
      },
    });
    const up = project.start("api");
    await up.until((events) => events.some(isState("api", "healthy")));
    expect(await get(api)).toBe("api slow\n");
    expect(tag).not.toBe("");
  });

  it("tells why a service did not start, goes on with the others, and with none it ends", async () => {
    const broken = { command: ["sh", "-c", "echo no license; exit 3"] };
    const { other, tag } = await stack(project, { db: broken });
    const up = project.start();
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
    const { other } = await stack(project);
    const up = project.start("other");
    await up.next("settled");
    await get(other, "/die");
    await up.until((events) => events.some(isState("other", "ended")));
    expect(stateOf(up.events.find(isState("other", "ended"))!).reason).toContain("asked to die");
    expect(up.hasEnded).toBe(false);
  });

  it("keeps what is on a volume", async () => {
    const { other } = await stack(project, {
      other: {
        volumes: { data: "/data" },
        command: ["sh", "-c", `cat /data/was >&2; echo kept >> /data/was; exec "$@"`, "sh", ...server("volume")],
      },
    });
    for (const _time of ["first", "second"]) {
      const up = project.start("other");
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
    const started = project.start();
    await started.next("settled");
    expect(await get(port)).toBe("hello of a function\n");
    await started.kill("SIGINT");
    project.write("ci/src/index.ts", body("name: string"));
    const refused = await project.run("up");
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("must be callable without arguments");
  });
});
