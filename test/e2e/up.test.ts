import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TerminalProcess } from "./terminal-process.ts";
import { get, isRunning, isState, server, stack, until, UpProject } from "./up-project.ts";

let project: UpProject;
beforeEach(() => {
  project = new UpProject();
});
afterEach(() => project.remove());

describe("fastloop up", () => {
  it("starts what is asked for and what that needs, in this order, and leaves nothing behind", async () => {
    const { db, api, other, tag } = await stack(project);
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

  it("goes on in the background, and other commands look at it, restart it and end it", async () => {
    const { db, api, tag } = await stack(project);
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
    await stack(project, { db: { command: ["sh", "-c", "exit 3"] } });
    const started = await project.run("up", "--wait", "api", "other");
    expect(started.exitCode).toBe(1);
    expect(started.stderr).toContain("db is failed, api is failed");
    const { stdout, exitCode } = await project.run("status");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/other +healthy/);
  });

  it("names who keeps the others when the time is up", async () => {
    await stack(project, {
      other: { health: "/x", command: ["sh", "-c", `touch /tmp/sick; exec "$@"`, "sh", ...server("never")] },
    });
    const started = await project.run("up", "--wait", "--timeout", "15s", "other");
    expect(started.exitCode).toBe(4);
    expect(started.stderr).toMatch(/other is (building|starting)|nothing is up yet/);
  });

  it("opens a shell in a service, and shows them on a terminal", async () => {
    const { tag } = await stack(project);
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
    const { api, tag } = await stack(project);
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
});
