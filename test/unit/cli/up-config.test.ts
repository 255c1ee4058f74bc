import { describe, expect, it } from "vitest";
import { freePorts, get, image, isRunning, server, stack, stateOf, until } from "../../e2e/up-project.ts";
import type { WatchEvent } from "../../e2e/loop-project.ts";
import { canRunEngine } from "../own-engine.ts";
import { beforeEachProject, type OwnUpProject } from "./own-up-project.ts";

let project: OwnUpProject;
beforeEachProject((made) => {
  project = made;
});

const described = (events: readonly WatchEvent[]): WatchEvent[] => events.filter(({ event }) => event === "described");
const started = (events: readonly WatchEvent[], name: string): number =>
  events.filter(
    (event) => event.event === "state" && stateOf(event).name === name && stateOf(event).phase === "building",
  ).length;

describe.runIf(canRunEngine)("an edit of fastloop.yaml while services are up", () => {
  it("makes anew what it changes, with what needs it, starts what is added and stops what is gone", async () => {
    const { db, api, other, tag } = await stack(project);
    const [added = 0, moved = 0] = await freePorts(2);
    const up = project.start();
    await up.next("settled");
    const one = { image, command: server(`other ${tag}`), ports: `${other}:8080` };
    const services = {
      db: { image, command: server(`db ${tag}`), ports: `${db}:8080` },
      api: { image, command: server(`second ${tag}`), ports: `${moved}:8080`, needs: ["db"] },
      added: { image, command: server(`added ${tag}`), ports: `${added}:8080`, needs: ["api"] },
    };
    project.configure({ services });
    await up.until((events) => described(events).length === 1);
    expect(described(up.events)[0]).toMatchObject({
      files: ["fastloop.yaml"],
      added: ["added"],
      changed: ["api"],
      removed: ["other"],
    });
    expect(await get(moved)).toBe(`second ${tag}\n`);
    expect(await get(added)).toBe(`added ${tag}\n`);
    expect(await get(api)).toBeUndefined();
    expect(await get(other)).toBeUndefined();
    expect(isRunning(`other ${tag}`)).toBe(false);
    expect(started(up.events, "db")).toBe(1);
    expect(JSON.parse((await project.run("status", "--json")).stdout)).toMatchObject({
      healthy: true,
      services: [{ name: "db" }, { name: "api", ports: [{ host: moved }] }, { name: "added" }],
    });

    // How it is seen from outside makes no container; what it is made of makes those anew that need it, too.
    project.configure({ services: { ...services, api: { ...services.api, ports: `${api}:8080` } } });
    await up.until((events) => described(events).length === 2);
    expect(described(up.events)[1]).toMatchObject({ added: [], changed: [], removed: [] });
    expect(await get(api)).toBe(`second ${tag}\n`);
    expect(await get(moved)).toBeUndefined();
    project.configure({
      services: {
        ...services,
        db: { ...services.db, env: { A: "1" } },
        api: { ...services.api, ports: `${api}:8080` },
      },
      up: { added: { ports: `${moved}:8080` } },
    });
    await up.until((events) => described(events).length === 3);
    expect(described(up.events)[2]).toMatchObject({ added: [], changed: ["db", "api", "added"], removed: [] });
    expect(await get(moved)).toBe(`added ${tag}\n`);
    project.configure({ services: { one } });
    await up.until((events) => described(events).length === 4);
    expect(described(up.events)[3]).toMatchObject({ added: ["one"], removed: ["db", "api", "added"] });
    expect(await get(other)).toBe(`other ${tag}\n`);
  });

  it("that is wrong is told, and what runs goes on as it was", async () => {
    const { db, api, tag } = await stack(project);
    const up = project.start("api");
    await up.next("settled");
    project.write("fastloop.yaml", "version: 1\nmodule: fastloop\nservices:\n  api: { imag: x }\n");
    await up.until((events) => described(events).length === 1);
    expect(described(up.events)[0]?.["reason"]).toContain("fastloop.yaml:4:");
    expect(await get(api)).toBe(`api ${tag}\n`);
    // A port that another program has: nothing of the edit is taken.
    const holder = (await import("node:net")).createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const taken = (holder.address() as { port: number }).port;
    const services = (port: number, text: string) => ({
      db: { image, command: server(`${text} ${tag}`), ports: `${db}:8080` },
      api: { image, command: server(`api ${tag}`), ports: `${port}:8080`, needs: ["db"] },
    });
    project.configure({ services: services(taken, "db") });
    await up.until((events) => described(events).length === 2);
    holder.close();
    expect(described(up.events)[1]?.["reason"]).toContain(`port ${taken} of \`api\` is not available`);
    expect(await get(api)).toBe(`api ${tag}\n`);
    // One that never gets healthy: the old one stays, and so does what needs it.
    project.configure({
      services: { ...services(api, "db"), db: { image, command: "exit 3", ports: `${db}:8080` } },
    });
    await up.until((events) => described(events).length === 3);
    expect(up.events.find(({ event }) => event === "edit")).toMatchObject({ name: "db", action: "failed" });
    expect(await get(db)).toBe(`db ${tag}\n`);
    expect(await get(api)).toBe(`api ${tag}\n`);
    project.configure({ services: services(api, "mended") });
    await up.until((events) => described(events).length === 4);
    expect(await get(db)).toBe(`mended ${tag}\n`);
  });

  it("and of the module makes anew what its functions give otherwise", async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const module = (text: string, also = "other") => `
import { dag, func, object, up, type Service } from "@dagger.io/dagger";
const server = (text: string): string[] => ["perl", "-MIO::Socket", "-e",
  "$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1);while($c=$s->accept){<$c>;print $c qq(HTTP/1.0 200 OK\\\\r\\\\n\\\\r\\\\n" + text + ");close $c}"];
@object()
export class Mine {
  @func() @up()
  api(): Service { return dag.container().from("${image}").withExposedPort(8080).asService({ args: server("${text}") }); }
  @func() @up()
  other(): Service { return dag.container().from("${image}").withExposedPort(8080).asService({ args: server("${also}") }); }
}
`;
    project.write(
      "dagger.json",
      JSON.stringify({ name: "mine", engineVersion: "v0.21.9", sdk: { source: "typescript" } }),
    );
    project.write("src/index.ts", module("first"));
    project.configure({ module: ".", up: { api: { ports: `${port}:8080` }, other: { ports: `${other}:8080` } } });
    const up = project.start();
    await up.next("settled");
    expect(await get(port)).toBe("first");
    project.write("src/index.ts", module("second"));
    await up.until((events) => described(events).length === 1);
    expect(described(up.events)[0]).toMatchObject({ files: ["src/index.ts"], changed: ["api"] });
    expect(await get(port)).toBe("second");
    expect(started(up.events, "other")).toBe(1);
    project.write("src/index.ts", module("third").replace("@object()", "@object("));
    await up.until((events) => described(events).length === 2);
    expect(described(up.events)[1]?.["reason"]).toContain("src/index.ts");
    expect(await get(port)).toBe("second");
    project.write("src/index.ts", module("third"));
    await up.until((events) => described(events).length === 3);
    expect(await get(port)).toBe("third");
    await until(
      () => get(other),
      (text) => text === "other",
    );
  });
});
