import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePorts, get, until, UpProject } from "./up-project.ts";
import type { WatchEvent, WatchProcess } from "./loop-project.ts";

const image = "node:22-bookworm-slim";
/** Answers what `msg.mjs` says, and of a path what is there: its mode, owner and content, or where a link leads. */
const program = `import { text } from "./msg.mjs";
import http from "node:http";
import fs from "node:fs";
const started = Date.now() + "." + process.pid;
http.createServer((request, response) => {
  if (request.url === "/") return response.end(text);
  if (request.url === "/started") return response.end(started);
  if (request.url === "/die") process.exit(9);
  try {
    const path = request.url.slice(1);
    const stats = fs.lstatSync(path);
    response.end(stats.isSymbolicLink() ? "-> " + fs.readlinkSync(path)
      : [(stats.mode & 0o777).toString(8), stats.uid, stats.isFile() ? fs.readFileSync(path, "utf8") : "folder"].join(" "));
  } catch (error) { response.end(error.code); }
}).listen(8080);
`;
const message = (text: string): string => `export const text = "${text}";\n`;
const long = (number: number): string => `${number}-${"x".repeat(5_000 + (number % 7) * 100)}-${number}`;

let project: UpProject;
let port = 0;
beforeEach(async () => {
  project = new UpProject();
  [port = 0] = await freePorts(1);
  project.write("src/server.mjs", program);
  project.write("src/msg.mjs", message("first"));
});
afterEach(() => project.remove());

function describeApi(more: object = {}, up: object = {}): void {
  const api = { image, sources: ["src/"], command: "node --watch src/server.mjs", ports: `${port}:8080`, ...more };
  project.configure({ services: { api }, up: { api: up } });
}

async function started(): Promise<WatchProcess> {
  const process = project.up();
  await process.next("settled");
  expect(await get(port)).toBe("first");
  return process;
}

const answers = (url: string, wanted: string): Promise<unknown> =>
  until(
    () => get(port, url),
    (text) => text === wanted,
  );
const isState = (phase: string) => (event: WatchEvent) =>
  event.event === "state" && (event["service"] as { phase: string }).phase === phase;

describe("an edit while services are up", () => {
  it("is seen by node --watch each of 50 times, whole, by editors that write and by those that rename", async () => {
    describeApi();
    const up = await started();
    for (let edit = 1; edit <= 50; edit++) {
      if (edit % 2 === 0) writeFileSync(project.at("src/msg.mjs"), message(long(edit)));
      else {
        writeFileSync(project.at("src/msg.mjs~"), message(long(edit)));
        renameSync(project.at("src/msg.mjs~"), project.at("src/msg.mjs"));
      }
      await answers("/", long(edit));
    }
    // The same container, and its process was started again by nobody but its own watcher.
    expect(up.events.filter(isState("building"))).toHaveLength(1);
    expect(up.events.some((event) => event.event === "edit" && event["action"] !== "synced")).toBe(false);
  });

  it("reaches files, folders, links, modes and deletions, of a service that is not root", async () => {
    describeApi({ user: "1000:1000", command: "node src/server.mjs --reload" });
    await started();
    project.write("src/deep/er/new.txt", "new");
    await answers("/src/deep/er/new.txt", "644 0 new");
    chmodSync(project.at("src/deep/er/new.txt"), 0o755);
    await answers("/src/deep/er/new.txt", "755 0 new");
    symlinkSync("new.txt", project.at("src/deep/er/link"));
    await answers("/src/deep/er/link", "-> new.txt");
    renameSync(project.at("src/deep/er/new.txt"), project.at("src/deep/er/other.txt"));
    await answers("/src/deep/er/other.txt", "755 0 new");
    await answers("/src/deep/er/new.txt", "ENOENT");
    rmSync(project.at("src/deep"), { recursive: true });
    mkdirSync(project.at("src/empty"));
    await answers("/src/deep", "ENOENT");
    await answers("/src/empty", "755 0 folder");
  });

  it("restarts a command that watches nothing, in the same container, and says so once", async () => {
    describeApi({ command: "node src/server.mjs" });
    const up = await started();
    for (const text of ["second", "third"]) {
      project.write("src/msg.mjs", message(text));
      await answers("/", text);
    }
    expect(up.events.filter(isState("building"))).toHaveLength(1);
    expect(
      up.events.filter((event) => event.event === "notice" && String(event["text"]).includes("watches")),
    ).toHaveLength(1);
  });

  it("runs what `run` names after it, and restarts for what `restart` names", async () => {
    describeApi(
      {},
      {
        sync: [{ from: "config/", to: "/etc/app" }],
        run: [{ on: ["config/*.schema"], do: "cp /etc/app/a.schema /tmp/generated" }],
        restart: ["config/*.env"],
      },
    );
    await started();
    project.write("config/a.schema", "schema 1");
    await answers("//tmp/generated", "644 0 schema 1");
    const before = await get(port, "/started");
    project.write("config/a.env", "A=1");
    await until(
      () => get(port, "/started"),
      (now) => now !== undefined && now !== before,
    );
    await answers("//etc/app/a.env", "644 0 A=1");
  });

  it("mends a service that it made crash", async () => {
    describeApi({ command: "node src/server.mjs" });
    const up = await started();
    project.write("src/msg.mjs", "export const text = ;\n");
    await up.until((events) => events.some(isState("ended")));
    expect(JSON.stringify(up.events.find(isState("ended")))).toContain("SyntaxError");
    project.write("src/msg.mjs", message("mended"));
    await answers("/", "mended");
    expect(up.events.filter(isState("building"))).toHaveLength(1);
  });

  it("of what was installed makes another container beside the old one; one that fails keeps that", async () => {
    project.write("installed.txt", "one");
    const layers = [
      {
        name: "install",
        files: ["installed.txt"],
        run: "if grep broken installed.txt; then exit 1; fi; cp installed.txt /installed",
      },
    ];
    describeApi({ layers });
    const up = await started();
    await answers("//installed", "644 0 one");
    project.write("installed.txt", "broken");
    await up.until((events) => events.some((event) => event.event === "edit" && event["action"] === "failed"));
    expect(await get(port, "//installed")).toBe("644 0 one");
    // What was synced before is in the new one, too.
    project.write("src/msg.mjs", message("kept"));
    await answers("/", "kept");
    project.write("installed.txt", "two");
    await answers("//installed", "644 0 two");
    expect(await get(port)).toBe("kept");
    const explained = await project.run("up", "--explain", "api");
    expect(explained.stdout).toMatch(/sync +src\/msg\.mjs +-> \/app\/src\/msg\.mjs +services\.api\.sources/);
    expect(explained.stdout).toMatch(/rebuild +installed\.txt +services\.api\.layers: install/);
  });
});
