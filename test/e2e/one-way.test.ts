/** What fastloop.yaml says of the engine means the same to every command that opens a session; reading the module needs none. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fastloop } from "./cli-process.ts";
import { FileProject } from "./file-project.ts";
import { WatchProcess } from "./loop-project.ts";

let project: FileProject;
let state: string;

beforeAll(() => {
  state = mkdtempSync(path.join(tmpdir(), "fastloop-ow-"));
});
afterAll(() => rmSync(state, { recursive: true, force: true }));
beforeEach(() => {
  project = new FileProject([], { "src/a.txt": "one" });
});
afterEach(() => project.remove());

const target = 'a: { call: "cat --source . --file src/a.txt", inputs: [src/] }';

function configure(rest: string): void {
  project.write("fastloop.yaml", `version: 1\nname: files\nwatch:\n  targets:\n    ${target}\n${rest}\n`);
}

/** Neither the test run's engine nor what the machine has. */
const environment = (): NodeJS.ProcessEnv => ({
  FASTLOOP_ENGINE: undefined,
  FASTLOOP_ENGINE_IDLE: undefined,
  BUILDKIT_HOST: undefined,
  XDG_STATE_HOME: state,
});

const opening: Record<string, string[]> = {
  run: ["run", "--all"],
  watch: ["watch"],
  call: ["call", "--no-cache", "cat", "--source", ".", "--file", "src/a.txt"],
  session: ["session", "--", "true"],
};

interface Told {
  exitCode: number | null;
  text: string;
}

/** A watch is ended when it has settled, or says that it is broken. */
async function told(words: readonly string[], options: readonly string[] = [], env = environment()): Promise<Told> {
  if (words[0] !== "watch") {
    const { exitCode, stdout, stderr } = await fastloop([...options, ...words], { cwd: project.root, env });
    return { exitCode, text: stdout + stderr };
  }
  const watch = new WatchProcess(project.root, [...options], "watch", [], env);
  try {
    await watch.until((events) => events.some(({ event }) => event === "settled" || event === "broken"));
    const broken = watch.events.find(({ event }) => event === "broken")?.["error"] as { exitCode?: number } | undefined;
    return { exitCode: broken === undefined ? 0 : (broken.exitCode ?? 3), text: JSON.stringify(watch.events) };
  } finally {
    await watch.kill("SIGTERM");
  }
}

describe.each(Object.entries(opening))("%s", (_command, words) => {
  test("takes the engine that engine.use names", async () => {
    configure("engine: { use: dagger }");
    // Without a PATH there is no container runtime, and so no Dagger engine.
    const { exitCode, text } = await told(words, [], { ...environment(), PATH: state });
    expect(text).toContain("no Dagger engine can be reached");
    expect(exitCode).toBe(3);
  });

  test("takes the BuildKit daemon that engine.buildkit names, once it is trusted", async () => {
    configure("engine: { use: embedded, buildkit: 'unix:///nowhere/buildkit.sock' }");
    const { exitCode, text } = await told(words, ["--trust"]);
    expect(text).toContain("/nowhere/buildkit.sock");
    expect(exitCode).toBe(3);
  });

  test("starts an engine that waits as long as engine.idle says", async () => {
    configure("engine: { use: embedded, idle: 7m }");
    try {
      expect((await told(words)).exitCode).toBe(0);
      const { stdout } = await fastloop(["engine", "status", "--json"], { cwd: project.root, env: environment() });
      expect(JSON.parse(stdout)).toMatchObject({ idleTimeoutMs: 420_000 });
    } finally {
      await fastloop(["engine", "stop", "--force"], { cwd: project.root, env: environment() });
    }
  });

  test("says of a cache that is not trusted that it is not used", async () => {
    configure("engine: { use: dagger }\ncache: { from: ['type=registry,ref=cache.example/x'] }");
    const { text } = await told(words, [], { ...environment(), PATH: state });
    expect(text).toMatch(/cache\.example\/x.*it is not used, for this needs your trust/);
  });
});

/** Two commands at a time: each fails where the other one lives beside it. */
const meeting = (unique: string): string[] =>
  ["a", "b"].map(
    (name) =>
      `touch /met/${name}; sleep 2; test $(ls /met | wc -l) = 1; code=$?; rm /met/${name}; exit $code # ${unique}`,
  );

const moduleSource = (unique: string): string => `
import { dag, func, object } from "@dagger.io/dagger"

@object()
export class Files {
  @func()
  async meet(): Promise<string> {
    const image = dag.container().from("debian:bookworm-slim").withMountedCache("/met", dag.cacheVolume("${unique}"))
    await Promise.all(${JSON.stringify(meeting(unique))}.map((script) => image.withExec(["sh", "-c", script]).sync()))
    return "done"
  }
}
`;

const program = (unique: string): string => `
const ask = async (query) => {
  const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
  const headers = { "content-type": "application/json", authorization: "Basic " + btoa(token + ":") };
  const answer = await fetch("http://127.0.0.1:" + port + "/query", { method: "POST", headers, body: JSON.stringify({ query }) });
  const { data, errors } = await answer.json();
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
};
const { cacheVolume } = await ask('{ cacheVolume(key: "${unique}") { id } }');
const fields = ${JSON.stringify(meeting(unique))}.map((script, at) => "f" + at + ": withExec(args: " + JSON.stringify(["sh", "-c", script]) + ") { sync }");
await ask('{ container { from(address: "debian:bookworm-slim") { withMountedCache(path: "/met", cache: "' + cacheVolume.id + '") { ' + fields.join(" ") + " } } } }");
`;

const meetingIn: Record<string, string[]> = {
  run: ["run", "--all"],
  watch: ["watch"],
  call: ["call", "--no-cache", "meet"],
  session: ["session", "--", process.execPath, "meet.mjs"],
};

test.each(Object.entries(meetingIn))(
  "%s runs as many containers at a time as engine.limits allows, and uses the caches that cache names",
  async (command, words) => {
    const unique = randomUUID();
    project.write("ci/src/index.ts", moduleSource(unique));
    project.write("meet.mjs", program(unique));
    const caches = "cache: { from: ['127.0.0.1:1/one/from:cache'], to: ['127.0.0.1:1/one/to:cache'] }";
    project.write(
      "fastloop.yaml",
      `version: 1\nname: files\nwatch:\n  targets:\n    a: { call: meet }\nengine: { use: embedded, limits: { containers: 1 } }\n${caches}\n`,
    );
    try {
      const { exitCode, text } = await told(words, ["--trust"]);
      expect({ exitCode, text }).toMatchObject({
        exitCode: 0,
        text: expect.stringContaining("cache 127.0.0.1:1/one/from:cache is not used: connect ECONNREFUSED") as string,
      });
      // Intermediate states of an edit are of no use to others.
      expect(text.includes("cache 127.0.0.1:1/one/to:cache is not written: connect ECONNREFUSED")).toBe(
        command !== "watch",
      );
      expect(text).not.toMatch(/"event":"failed"|"outcome":"failed"/);
    } finally {
      await fastloop(["engine", "stop", "--force"], { cwd: project.root, env: environment() });
    }
  },
  180_000,
);

test("functions reads the module, whatever engine is named", async () => {
  configure("engine: { use: dagger, buildkit: 'unix:///nowhere/buildkit.sock', idle: 7m }");
  const { exitCode, text } = await told(["functions"], [], { ...environment(), PATH: state });
  expect(exitCode).toBe(0);
  expect(text).toContain("cat");
});
