import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../e2e/loop-project.ts";
import { freePorts, get, image, isState, server, stateOf, until } from "../../e2e/up-project.ts";
import { canRunEngine } from "../own-engine.ts";
import { beforeEachProject, type OwnUpProject } from "./own-up-project.ts";

let project: OwnUpProject;
beforeEachProject((made) => {
  project = made;
});

/** Answers what `made.txt` was when it started, and how it reaches the service. */
const program = `import http from "node:http";
import fs from "node:fs";
const text = fs.readFileSync("made.txt", "utf8") + " " + process.env.API_URL + " " + process.env.MODE;
http.createServer((request, response) => {
  if (request.url === "/die") process.exit(3);
  response.end(text);
}).listen(Number(process.env.PORT), "localhost");
`;
const edits = (events: readonly WatchEvent[]): WatchEvent[] => events.filter(({ event }) => event === "edit");
const times = (events: readonly WatchEvent[], phase: string): number => events.filter(isState("web", phase)).length;
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.runIf(canRunEngine)("`local` of fastloop.yaml", () => {
  it("runs beside the services, reaches them, starts again after an edit and by itself, and ends with them", async () => {
    const [api = 0, web = 0] = await freePorts(2);
    project.write("web/server.mjs", program);
    project.write("web/text.in", "one");
    project.configure({
      services: { api: { image, command: server("api"), ports: `${api}:8080` } },
      local: {
        web: {
          cwd: "web",
          run: "grep -v broken text.in > made.txt",
          serve: "sleep 1000 & echo $$ > pid; exec node server.mjs",
          inputs: ["web/*.in"],
          needs: ["api"],
          env: { PORT: String(web), MODE: "dev" },
          ports: web,
        },
      },
    });
    const refused = await project.run("up");
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("local.web.run runs the command");
    expect(refused.stderr).toContain("needs your trust");
    expect((await project.run("trust", "--show")).stdout).toContain("cd web && PORT=");

    const up = project.start("--trust");
    await up.next("settled");
    const answer = (text: string): string => `${text}\n http://localhost:${api} dev`;
    const asked = (text: string): Promise<unknown> =>
      until(
        () => get(web),
        (now) => now === answer(text),
      );
    await asked("one");
    expect(up.events.findIndex(isState("web", "building"))).toBeGreaterThan(
      up.events.findIndex(isState("api", "healthy")),
    );
    expect((await project.run("status")).stdout).toMatch(new RegExp(`^web +healthy +.*localhost:${web}`, "m"));
    expect((await project.run("shell", "web")).exitCode).not.toBe(0);

    project.write("web/text.in", "two");
    await asked("two");
    await up.until((events) => edits(events).length === 1);
    expect(edits(up.events)[0]).toMatchObject({ name: "web", action: "restarted", files: ["web/text.in"] });
    expect((await project.run("status")).stdout).toMatch(/^web .* restarted in .* ago$/m);
    // A command that fails leaves the old server as it is.
    project.write("web/text.in", "broken");
    await up.until((events) => edits(events).at(-1)?.["action"] === "failed");
    expect(await get(web)).toBe(answer("two"));
    project.write("web/text.in", "three");
    await asked("three");
    await up.until((events) => edits(events).at(-1)?.["action"] === "restarted");

    const before = times(up.events, "healthy");
    await get(web, "/die");
    await up.until((events) => times(events, "healthy") > before);
    expect(stateOf(up.events.find(isState("web", "ended"))!).reason).toContain("exit code: 3; it starts again");
    expect(await get(web)).toBe(answer("three"));

    // Where what it needs is reached by now, it is told.
    const [moved = 0] = await freePorts(1);
    const text = readFileSync(project.at("fastloop.yaml"), "utf8");
    project.write("fastloop.yaml", text.replace(`${api}:8080`, `${moved}:8080`));
    await until(
      () => get(web),
      (now) => now === `three\n http://localhost:${moved} dev`,
    );

    const pid = Number(readFileSync(project.at("web/pid"), "utf8"));
    expect(alive(-pid)).toBe(true);
    expect(await project.run("down")).toMatchObject({ exitCode: 0 });
    await up.end();
    expect(alive(-pid)).toBe(false);
  });

  it("tells a server that does not start, a port that is taken, and a command that fails", async () => {
    const [port = 0] = await freePorts(1);
    const holder = (await import("node:net")).createServer();
    await new Promise<void>((resolve) => holder.listen(port, "127.0.0.1", resolve));
    project.configure({
      local: {
        taken: { serve: "sleep 100", ports: port },
        failing: { run: "echo why; exit 4" },
        ending: { serve: "echo gone" },
        well: { run: "true", needs: ["ok"] },
        ok: { run: "true" },
        waits: { run: "true", needs: ["failing"] },
      },
    });
    const up = project.start("--trust");
    await up.next("settled");
    holder.close();
    const reason = (name: string): string => stateOf(up.events.find(isState(name, "failed"))!).reason ?? "";
    expect(reason("taken")).toContain(`port ${port}: process ${process.pid} has it`);
    expect(reason("failing")).toMatch(/`echo why; exit 4` ended: exit code: 4\nwhy/);
    expect(reason("ending")).toMatch(/`echo gone` ended: exit code: 0\ngone/);
    expect(reason("waits")).toBe("it needs `failing`, which is not healthy");
    expect(up.events.some(isState("well", "healthy"))).toBe(true);
  });
});
