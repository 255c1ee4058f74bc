/** Records and results that somebody else wrote, or that were changed. */
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bug, HostileProject } from "./hostile-project.ts";

let project: HostileProject;
beforeEach(() => {
  project = new HostileProject();
});
afterEach(() => project.remove());

type Json = Record<string, unknown>;
const runs = (folder: string, name = ""): string => path.join(folder, ".fastloop/runs", name);

/** The record of the failed function as one that passed. */
function forge(folder: string): Json {
  const name = readdirSync(runs(folder)).find((candidate) => /-bad-.*json$/.test(candidate))!;
  const record = JSON.parse(readFileSync(runs(folder, name), "utf8")) as Json;
  const passed: Json = { ...record, outcome: "passed", fresh: true };
  delete passed["error"];
  writeFileSync(runs(folder, name), JSON.stringify(passed));
  return record;
}

test("a pull request that commits records makes nothing green", async () => {
  expect(await project.run(["run"])).toMatchObject({ exitCode: 1 });
  forge(project.root);
  project.commit();
  const clone = project.clone();
  expect((await project.run(["plan", "--json"], clone)).stdout).not.toContain('"current"');
  expect(await project.run(["run"], clone)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("is tracked by git"),
  });
  project.git("rm", "-rq", "--cached", ".fastloop");
  expect(await project.run(["run"])).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("1 failed") });
});

test("forged reads of a workspace make nothing current: the function runs, and what it reads is known again", async () => {
  const source = project.at("ci/src/index.ts");
  writeFileSync(
    source,
    readFileSync(source, "utf8")
      .replace("func, object", "func, object, Workspace")
      .replace(
        "  @func()",
        '  @func({ cache: "never" }) async look(ws: Workspace): Promise<string> { return ws.file("a.txt").contents() }\n  @func()',
      ),
  );
  project.write("a.txt", "one");
  project.write("fastloop.yaml", "version: 1\nwatch: { targets: { look: { call: look } } }\n");
  await project.run(["run"]);
  const folder = project.at(".fastloop/reads");
  const [name] = readdirSync(folder);
  const file = path.join(folder, name!);
  const own = readFileSync(file, "utf8");
  for (const forged of [
    own.replace("a.txt", "b.txt"),
    '{"version":1,"reads":[]}',
    own.replace(/"reads":\[.*\]/, '"reads":[]'),
  ]) {
    writeFileSync(file, forged);
    project.write("a.txt", `edited beside ${forged.length}`);
    const plan = await project.run(["plan"]);
    expect(plan).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^run .*a\.txt was read then/m) });
    expect(plan.stderr).toContain("does not count");
    expect(await project.run(["run"])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 passed") });
    expect((await project.run(["plan"])).stdout).toMatch(/^current/m);
    expect(readFileSync(file, "utf8")).toBe(own);
  }
});

test("a forged record counts as absent, with a notice, and names no file that is deleted", async () => {
  await project.run(["run"]);
  const record = forge(project.root);
  const before = project.precious();
  const old = { ...record, startedAt: "2020-01-01T00:00:00.000Z", digest: "0" };
  const forged: Record<string, unknown> = {
    "20200101T000000.000Z-bad-aaaaaa.json": {
      ...old,
      id: "20200101T000000.000Z-bad-aaaaaa",
      log: "../../../home/.ssh/hashes",
    },
    "20200101T000000.000Z-bad-bbbbbb.json": { ...old, id: "../../../home/.ssh/hashes", log: "x.log" },
    "20200101T000000.000Z-bad-cccccc.json": {
      ...old,
      id: 5,
      target: { a: 1 },
      fingerprint: {},
      log: 7,
      startedAt: null,
    },
    "20200101T000000.000Z-bad-dddddd.json": { ...old, id: "20200101T000000.000Z-bad-\0" },
    "20200101T000000.000Z-bad-eeeeee.json": { ...old, value: "x".repeat(10_000_000) },
    "20200101T000000.000Z-bad-ffffff.json": JSON.parse('{"__proto__":{"outcome":"passed"},"version":1}'),
    "20200101T000000.000Z-bad-abcdef.json": [],
  };
  for (const [name, content] of Object.entries(forged))
    writeFileSync(runs(project.root, name), JSON.stringify(content));
  writeFileSync(runs(project.root, "mine.json"), "{}");
  const plan = await project.run(["plan"]);
  expect(plan).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^run +bad .*never run here/m),
    stderr: expect.not.stringMatching(bug),
  });
  expect(plan.stderr.match(/damaged, or not of this user and place/g)).toHaveLength(1);
  expect(readdirSync(runs(project.root))).toEqual(expect.arrayContaining(Object.keys(forged)));
  expect(await project.run(["why", "bad"])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("never run here"),
  });
  expect(await project.run(["run"])).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining("1 failed, 1 current"),
  });
  expect(readdirSync(runs(project.root)).filter((name) => name in forged)).toEqual([]);
  expect(existsSync(runs(project.root, "mine.json"))).toBe(true);
  expect(project.precious()).toEqual(before);
});

test("a record under another name, in another project or of another user counts as absent", async () => {
  await project.run(["run", "ok"]);
  const [record] = project.records();
  const elsewhere = project.copy();
  expect((await project.run(["plan"], elsewhere)).stdout).toMatch(/^run +ok/m);
  expect(
    (await project.run(["plan"], project.root, { XDG_STATE_HOME: path.join(project.top, "other") })).stdout,
  ).toMatch(/^run +ok/m);
  expect((await project.run(["plan"])).stdout).toMatch(/^current +ok/m);
  renameSync(runs(project.root, record), runs(project.root, "20990101T000000.000Z-ok-aaaaaa.json"));
  expect((await project.run(["plan"])).stdout).toMatch(/^run +ok/m);
});

test("a key that jobs share makes a restored state count at another path, and only there where it is known", async () => {
  const key = { FASTLOOP_STATE_KEY: "k".repeat(40) };
  const other = { FASTLOOP_STATE_KEY: "o".repeat(40) };
  expect((await project.run(["run", "ok"], project.root, key)).exitCode).toBe(0);
  const elsewhere = project.copy();
  expect((await project.run(["plan"], elsewhere, key)).stdout).toMatch(/^current +ok/m);
  for (const env of [other, {}]) expect((await project.run(["plan"], elsewhere, env)).stdout).toMatch(/^run +ok/m);
  expect(await project.run(["plan"], elsewhere, { FASTLOOP_STATE_KEY: "short" })).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("FASTLOOP_STATE_KEY"),
  });
});

test("a stored result of a call that was changed, or is of another place, is not given", async () => {
  const first = (await project.run(["call", "kept"])).stdout;
  expect((await project.run(["call", "kept"])).stdout).toBe(first);
  const calls = project.at(".fastloop/calls");
  const name = readdirSync(calls)[0]!;
  const stored = readFileSync(path.join(calls, name), "utf8");
  const elsewhere = project.copy();
  expect((await project.run(["call", "kept"], elsewhere)).stdout).not.toBe(first);
  writeFileSync(path.join(calls, name), stored.replace("kept", "sold"));
  const changed = await project.run(["call", "kept"]);
  expect(changed.stdout).toMatch(/^kept/);
  expect(changed.stdout).not.toBe(first);
  expect(changed.stderr).toContain("damaged, or not of this user and place");
});

test("hashes, the checked configuration and manifests of somebody else decide nothing", async () => {
  project.write("fastloop.yaml", "version: 1\nwatch: { targets: { ok: { call: ok, inputs: [src/] } } }\n");
  project.write("src/a.txt", "one");
  expect((await project.run(["run"])).exitCode).toBe(0);
  // Made with a key of the attacker's, on this very machine, from these very files.
  const foreign = { XDG_STATE_HOME: path.join(project.top, "attacker") };
  const attacked = project.copy();
  rmSync(path.join(attacked, ".fastloop"), { recursive: true });
  project.write("src/a.txt", "two");
  writeFileSync(path.join(attacked, "src/a.txt"), "two");
  expect((await project.run(["plan"], project.root, foreign)).exitCode).toBe(0);
  cpSync(project.at(".fastloop"), path.join(attacked, ".fastloop"), { recursive: true });
  const config = path.join(attacked, ".fastloop/config.json");
  writeFileSync(config, readFileSync(config, "utf8").replace('"call":"ok"', '"call":"bad"'));
  const plan = await project.run(["plan", "--json"], attacked);
  expect(plan).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining("hashes is damaged, or not of this user and place"),
  });
  expect(JSON.parse(plan.stdout)).toMatchObject({ functions: [{ name: "ok", verdict: "affected", call: "ok" }] });
});
