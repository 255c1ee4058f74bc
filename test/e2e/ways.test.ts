/** How many files of the command line a save and a call run functions of: measured, so that they do not become more. */
import { Session, type Profiler } from "node:inspector";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fastloop } from "../unit/cli/fastloop.ts";
import { RunningCommand } from "../unit/cli/running.ts";
import { LoopProject } from "./loop-project.ts";

const source = path.resolve(import.meta.dirname, "../../src");
const profiler = new Session();
profiler.connect();
profiler.post("Profiler.enable");
profiler.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });

/** Files of `src` that a function has run of since the last time; doors, which the build takes out, do not count. */
function visited(): Promise<string[]> {
  return new Promise((resolve, reject) => {
    profiler.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) return reject(error);
      const ran = result.filter(({ functions }) => functions.some(hasRun)).map(({ url }) => fileOf(url));
      resolve(ran.filter((file) => file.startsWith(source + path.sep) && path.basename(file) !== "index.ts"));
    });
  });
}

const hasRun = ({ ranges }: Profiler.FunctionCoverage): boolean => (ranges[0]?.count ?? 0) > 0;
const fileOf = (url: string): string => (url.startsWith("file:") ? fileURLToPath(url) : url);

let project: LoopProject;
beforeEach(() => void (project = new LoopProject(fastloop)));
afterEach(() => project.remove());

test("a save, once the loop is warm", async () => {
  const watch = new RunningCommand(project.root, [], "watch");
  await watch.next("settled");
  project.write("worker/a.txt", "worker two\n");
  await watch.next("settled");
  await visited();
  project.write("worker/a.txt", "worker three\n");
  await watch.next("settled");
  expect((await visited()).length).toBeLessThan(140);
  expect(await watch.kill("SIGINT")).toBe(130);
});

test("a call that has to run", async () => {
  const words = ["call", "test", "--source", ".", "--part", "worker"];
  expect(await project.run(...words)).toMatchObject({ exitCode: 0 });
  await visited();
  project.write("worker/a.txt", "worker two\n");
  expect(await project.run(...words)).toMatchObject({ exitCode: 0 });
  expect((await visited()).length).toBeLessThan(160);
});
