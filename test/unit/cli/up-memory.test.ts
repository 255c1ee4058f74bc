import { describe, expect, it } from "vitest";
import { freePorts, get, image, isState, stateOf, until } from "../../e2e/up-project.ts";
import { canRunEngine } from "../own-engine.ts";
import { beforeEachProject, type OwnUpProject } from "./own-up-project.ts";

let project: OwnUpProject;
beforeEachProject((made) => {
  project = made;
});

/** Keeps as many megabytes as a path asks for. */
const eater = [
  "perl",
  "-MIO::Socket",
  "-e",
  `$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1) or die;
while($c=$s->accept){ $l=<$c>; while(($h=<$c>)=~/\\S/){} if($l=~m{/eat/(\\d+)}){ push @all, "x" x ($1*1000000) }
  print $c qq(HTTP/1.0 200 OK\\r\\n\\r\\nhas eaten); close $c }`,
];

interface Told {
  services: { memoryBytes?: number; memoryLimitBytes?: number }[];
}

describe.runIf(canRunEngine)("the memory of a service", () => {
  it("is shown, and what wants more than its limit is ended, which is told; the limit may be edited", async () => {
    const [port = 0] = await freePorts(1);
    const describeApi = (memory: string): void =>
      project.configure({ services: { api: { image, command: eater, ports: `${port}:8080`, memory } } });
    describeApi("300MB");
    const up = project.start();
    await up.next("settled");
    const status = async (): Promise<Told["services"][number]> =>
      (JSON.parse((await project.run("status", "--json")).stdout) as Told).services[0]!;
    const before = await until(status, ({ memoryBytes }) => memoryBytes !== undefined);
    expect(before.memoryLimitBytes).toBe(300_000_000);
    expect(await get(port, "/eat/50")).toBe("has eaten");
    await until(status, ({ memoryBytes = 0 }) => memoryBytes > (before.memoryBytes ?? 0) + 40_000_000);
    expect((await project.run("status")).stdout).toMatch(/^api +healthy +\d+\.\d MB of 300\.0 MB +localhost/m);
    expect(await get(port, "/eat/500")).toBeUndefined();
    await up.until((events) => events.some(isState("api", "ended")));
    const ended = up.events.find(isState("api", "ended"));
    expect(stateOf(ended!).reason).toContain(
      "exit code: 137: killed, as what wants more than its 300.0 MB of memory is",
    );
    // Held as it is described now, in the same container.
    expect(await project.run("restart", "api")).toMatchObject({ exitCode: 0 });
    describeApi("2GB");
    await up.until((events) => events.some(({ event }) => event === "described"));
    expect(up.events.find(({ event }) => event === "described")).toMatchObject({ changed: [] });
    await until(status, ({ memoryBytes }) => memoryBytes !== undefined);
    expect(await get(port, "/eat/500")).toBe("has eaten");
  });
});
