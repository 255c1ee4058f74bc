/** The page of real commands, on a real engine; what a browser makes of it: test/e2e/page.test.ts. */
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { thisMachine } from "../../../src/engine/choose-machine.ts";
import type {
  NodeDetails,
  PageHistory,
  PageSnapshot,
  PageState,
  PageChange,
  LogLine,
} from "../../../src/page/types.ts";
import { LoopProject, type WatchEvent } from "../../e2e/loop-project.ts";
import { get as getOfService, stack, until, UpProject } from "../../e2e/up-project.ts";
import { fastloop, type CliResult } from "../cli/fastloop.ts";
import { RunningCommand } from "../cli/running.ts";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../own-engine.ts";
import { ask, Events } from "./ask.ts";

let engine: OwnEngine | undefined;
beforeAll(async () => {
  if (canRunEngine) engine = await startOwnEngine();
});
afterAll(() => engine?.stop());

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A page that is open, and what of it has come. */
class OpenPage {
  private readonly port: number;
  private readonly authorization: string;
  private readonly events: Events;

  constructor(url: string) {
    this.port = Number(new URL(url).port);
    this.authorization = `Bearer ${new URL(url).hash.slice("#token=".length)}`;
    this.events = new Events(this.port, { authorization: this.authorization });
    cleanUps.push(() => this.events.close());
  }

  async get<T>(url: string): Promise<T> {
    const { text } = await ask(this.port, url, { headers: { authorization: this.authorization } });
    return JSON.parse(text) as T;
  }

  act(command: object): ReturnType<typeof ask> {
    const headers = { authorization: this.authorization, "content-type": "application/json" };
    return ask(this.port, "/do", { method: "POST", headers, body: JSON.stringify(command) });
  }

  /** Until the state of each is as it says. */
  async shows(wanted: Record<string, string>): Promise<void> {
    await this.events.until(() => Object.entries(wanted).every(([id, state]) => this.nodes.get(id)?.state === state));
  }

  async says(text: string): Promise<void> {
    await this.events.until(({ messages }) => messages.some(({ data }) => data.includes(text)));
  }

  get nodes(): Map<string, PageState["nodes"][number]> {
    const all = this.events.messages.flatMap(({ data }) => (JSON.parse(data) as PageChange).nodes ?? []);
    return new Map(all.map((node) => [node.id, node]));
  }
}

function savedIn(file: string): PageSnapshot {
  const [, json] = /<script type="application\/json" id="snapshot">(.*?)<\/script>/s.exec(readFileSync(file, "utf8"))!;
  return JSON.parse(json!) as PageSnapshot;
}

/** Folders of this machine that nobody meant to send. */
function expectNoFolders(snapshot: PageSnapshot, root: string): void {
  const text = JSON.stringify(snapshot);
  for (const folder of [root, process.env["XDG_STATE_HOME"]!, path.dirname(thisMachine().builtBuildkitd()!)])
    expect(text.includes(folder), folder).toBe(false);
}

async function start(
  project: { root: string; remove(): Promise<void> },
  command: string,
  ...words: string[]
): Promise<{ running: RunningCommand; page: OpenPage }> {
  const running = new RunningCommand(project.root, ["--ui", ...words], command);
  cleanUps.push(() => running.kill("SIGINT"));
  const { url } = await running.next("page");
  return { running, page: new OpenPage(url as string) };
}

describe.runIf(canRunEngine)("the page of a watch", () => {
  test("says what runs, failed and why, and carries out what it is asked", async () => {
    const project = new LoopProject(fastloop);
    cleanUps.push(() => project.remove());
    const { running, page } = await start(project, "watch", "--ui-snapshot", "out.html");
    await page.shows({ lib: "current", api: "current", worker: "current" });
    await page.says("ok api from lib one api one");

    project.write("lib/a.txt", "broken\n");
    await page.shows({ lib: "failed", api: "blocked" });
    expect(page.nodes.get("lib")).toMatchObject({
      tone: "bad",
      can: ["run"],
      failure: expect.stringContaining("exit code 3"),
    });
    expect(page.nodes.get("api")).toMatchObject({ detail: "lib has not passed", needs: ["lib"] });
    const { why, runs, spans, run } = await page.get<NodeDetails>("/node?id=lib");
    expect(why!.causes).toEqual(expect.arrayContaining([expect.stringContaining("lib/a.txt changed")]));
    expect(why!.parts.find(({ name }) => name === "engine")!.value).toMatch(/^embedded on buildkitd of \d+ bytes and /);
    expect(runs.map(({ outcome, tone }) => [outcome, tone])).toEqual([
      ["failed", "bad"],
      ["passed", "good"],
    ]);
    expect(run).toEqual(runs[0]);
    expect(spans.some(({ name, tone }) => name.includes("exec") && tone === "bad")).toBe(true);
    const before = await page.get<NodeDetails>(`/node?id=lib&run=${runs[1]!.id}`);
    expect(before.run).toEqual(runs[1]);
    const { points, figures } = await page.get<PageHistory>("/history");
    expect(points.filter(({ node }) => node === "lib").map(({ outcome }) => outcome)).toEqual(["passed", "failed"]);
    expect(figures.find(({ name }) => name === "lib")).toMatchObject({ runs: 2, failed: 1 });

    project.write("lib/a.txt", "slow\n");
    // The line, not the text of the command.
    await page.says(`"sleeping"]`);
    await page.shows({ lib: "running" });
    const going = await until(
      () => page.get<NodeDetails>("/node?id=lib"),
      (details) => details.spans.some(({ tone }) => tone === "busy"),
    );
    expect(going.run).toMatchObject({ id: "", outcome: "running", tone: "busy" });
    expect(going.spans.find(({ tone }) => tone === "busy")).not.toHaveProperty("durationMs");
    expect(await page.act({ do: "cancel", node: "lib" })).toMatchObject({ status: 200 });
    await page.shows({ lib: "cancelled", api: "blocked" });

    expect(await page.act({ do: "manual", on: true })).toMatchObject({ status: 200 });
    await page.says('"manual":true');
    project.write("lib/a.txt", "lib two\n");
    await page.shows({ lib: "stale" });
    expect(await page.act({ do: "run-marked" })).toMatchObject({ status: 200 });
    await page.shows({ lib: "current", api: "current" });
    const from = running.events.length;
    expect(await page.act({ do: "run", which: ["worker"] })).toMatchObject({ status: 200 });
    const hasRun = ({ event, name }: WatchEvent): boolean => event === "finished" && name === "worker";
    await running.until((events) => events.slice(from).some(hasRun));
    expect(running.startedSince(from)).toEqual(["worker"]);
    for (const command of [
      { do: "cancel", node: "nobody" },
      { do: "run", which: ["lib", "nobody"] },
      { do: "restart", nodes: ["lib"] },
    ])
      expect(await page.act(command)).toMatchObject({ status: 400 });

    await running.kill("SIGINT");
    const saved = savedIn(project.at("out.html"));
    expect(saved.state.top).toMatchObject({ project: "loop", command: "fastloop watch" });
    expect(Object.keys(saved.details)).toEqual(saved.state.nodes.map(({ id }) => id));
    expect(
      saved.lines.some(([, node, stream, , text]) => node === "lib" && stream === "out" && text.startsWith("ok lib")),
    ).toBe(true);
    expectNoFolders(saved, project.root);

    // Opened anew, it begins with what is on record.
    const again = await start(project, "watch", "--manual");
    await again.page.shows({ lib: "current" });
    const lines = await again.page.get<LogLine[]>("/log");
    expect(
      lines.some(([, node, stream, , text]) => node === "lib" && stream === "old" && text.startsWith("ok lib")),
    ).toBe(true);
  });

  test("a run saves its page, with what failed", async () => {
    const project = new LoopProject(fastloop);
    cleanUps.push(() => project.remove());
    project.write("worker/a.txt", "broken\n");
    expect(await project.run("run", "--ui-snapshot", "run.html")).toMatchObject({ exitCode: 1 });
    const saved = savedIn(project.at("run.html"));
    expect(saved.state.nodes.map(({ id, state, can }) => [id, state, can])).toEqual(
      expect.arrayContaining([
        ["lib", "current", []],
        ["worker", "failed", []],
      ]),
    );
    expect(saved.history.points).toHaveLength(3);
    expectNoFolders(saved, project.root);
    const nowhere = await project.run("run", "--ui-snapshot", "nowhere/run.html");
    expect(nowhere).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("its folder does not exist") });
  });
});

class OwnUpProject extends UpProject {
  override run(...words: string[]): Promise<CliResult> {
    return fastloop(words, { cwd: this.root });
  }
}

describe.runIf(canRunEngine)("the page of services", () => {
  test("says how they are, where they listen and what they print, and restarts them", async () => {
    const project = new OwnUpProject();
    cleanUps.push(() => project.remove());
    const { db, api, tag } = await stack(project);
    const { running, page } = await start(project, "up", "api", "--ui-snapshot", "out.html");
    await page.shows({ db: "healthy", api: "healthy" });
    expect(page.nodes.get("api")).toMatchObject({
      kind: "service",
      tone: "good",
      ports: [api],
      needs: ["db"],
      can: ["restart"],
      detail: `127.0.0.1:${api}`,
    });
    expect(await getOfService(api, "/hello")).toBe(`api ${tag}\n`);
    await page.says("GET /hello");
    const { why, spans, run } = await page.get<NodeDetails>("/node?id=db");
    expect(why!.parts).toContainEqual({ name: "port", value: `127.0.0.1:${db} leads to 8080 in the container` });
    expect(run).toMatchObject({ outcome: "healthy", tone: "good" });
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(["starting", "healthy"]));

    const isHealthy = ({ event, service }: WatchEvent): boolean =>
      event === "state" &&
      (service as { name: string; phase: string }).name === "api" &&
      (service as { phase: string }).phase === "healthy";
    const from = running.events.length;
    expect(await page.act({ do: "restart", nodes: ["api"] })).toMatchObject({ status: 200 });
    await running.until((events) => events.slice(from).some(isHealthy));
    const { points, figures } = await page.get<PageHistory>("/history");
    expect(points.filter(({ node, outcome }) => node === "api" && outcome === "started").length).toBeGreaterThanOrEqual(
      1,
    );
    expect(figures.find(({ name }) => name === "api")!.failed).toBe(0);

    // It ends by itself.
    await getOfService(db, "/die");
    await page.shows({ db: "ended" });
    expect(page.nodes.get("db")).toMatchObject({ tone: "bad", failure: expect.stringContaining("asked to die") });
    for (const command of [
      { do: "restart", nodes: ["nobody"] },
      { do: "run", which: "all" },
      { do: "cancel", node: "db" },
    ])
      expect(await page.act(command)).toMatchObject({ status: 400 });
    expect(await page.get("/node?id=nobody")).toEqual({ message: "there is no such function or service" });

    await running.kill("SIGINT");
    const saved = savedIn(project.at("out.html"));
    expect(saved.state.top).toMatchObject({ project: "stack", command: "fastloop up" });
    expect(
      saved.lines.some(([, node, stream, , text]) => node === "api" && stream === "out" && text.includes("GET /hello")),
    ).toBe(true);
    expectNoFolders(saved, project.root);
  });
});
