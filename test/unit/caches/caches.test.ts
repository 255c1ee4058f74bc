import { execFileSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  cacheLevels,
  cacheStatus,
  classesOf,
  clearCaches,
  diskUse,
  expectedCost,
  type CacheLevel,
} from "../../../src/caches/index.ts";
import { newVolumes, projectIdentity, volumesOf } from "../../../src/engine/index.ts";
import type { HistoryEntry } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const run = (target: string, durationMs: number, steps: [number, number], outcome: HistoryEntry["outcome"] = "passed"): HistoryEntry => ({ id: "", target, at: 0, outcome, durationMs, digest: "", steps }); // prettier-ignore

class Place {
  readonly state = new ProjectState(makeTree());
  readonly home = mkdtempSync(path.join(tmpdir(), "fastloop-caches-"));
  readonly env = { XDG_CACHE_HOME: this.home, XDG_STATE_HOME: this.home };
  readonly done: string[] = [];

  constructor() {
    for (const folder of ["runs", "calls", "manifests", "spans", "reads", "history", "baselines"] as const)
      this.state.write(folder, `${folder}.json`, [Buffer.from(JSON.stringify({ of: "x".repeat(5000) }))]);
    this.state.write(".", "hashes", [Buffer.from("x".repeat(9000))]);
    for (const folder of ["images", "tools", "modules"]) {
      mkdirSync(path.join(this.home, "fastloop", folder), { recursive: true });
      writeFileSync(path.join(this.home, "fastloop", folder, "file"), "x".repeat(5000));
    }
  }

  clear(level: CacheLevel) {
    return clearCaches(level, {
      state: this.state,
      env: this.env,
      newVolumes: () => void this.done.push("volumes"),
      prune: () => {
        this.done.push("prune");
        return Promise.resolve({ freedBytes: 7 });
      },
      removeEngine: () => Promise.resolve(void this.done.push("remove")),
    });
  }

  get left(): string[] {
    const inState = (["runs", "calls", "manifests", "spans", "reads", "history", "baselines"] as const).filter(
      (folder) => this.state.names(folder, /\.json$/).length > 0,
    );
    return [
      ...inState,
      ...["images", "tools", "modules"].filter((folder) => existsSync(path.join(this.home, "fastloop", folder))),
    ];
  }
}

describe("a level", () => {
  test("is the one before it and more", () => {
    for (const [index, level] of cacheLevels.entries()) {
      const before = index === 0 ? [] : classesOf(cacheLevels[index - 1]!);
      expect(classesOf(level)).toEqual(expect.arrayContaining(before));
      expect(classesOf(level).length).toBeGreaterThan(before.length);
    }
  });

  const shared = ["images", "tools", "modules"];
  test.each<[CacheLevel, string[], string[]]>([
    ["soft", ["history", "baselines", ...shared], []],
    ["medium", ["history", "baselines", ...shared], ["volumes"]],
    ["hard", ["history", "baselines", ...shared], ["volumes", "prune"]],
    ["nuke", [], ["volumes", "remove"]],
  ])("%s deletes what it says, and nothing else", async (level, left, done) => {
    const place = new Place();
    const cleared = await place.clear(level);
    expect(place.left).toEqual(left);
    expect(place.done).toEqual(done);
    expect(place.state.has(".", "hashes")).toBe(false);
    expect(cleared.map((each) => each.class)).toEqual(classesOf(level));
    expect(cleared.find((each) => each.class === "results")?.freedBytes).toBeGreaterThan(4 * 4096);
  });
});

describe("what is on the disk", () => {
  test("is what du says: holes, hard links and links counted as it does", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-du-"));
    mkdirSync(path.join(folder, "a/b"), { recursive: true });
    writeFileSync(path.join(folder, "a/file"), "x".repeat(100_000));
    linkSync(path.join(folder, "a/file"), path.join(folder, "a/b/same"));
    symlinkSync("/usr", path.join(folder, "elsewhere"));
    const said = Number(execFileSync("du", ["-s", "--block-size=1", folder], { encoding: "utf8" }).split("\t")[0]);
    expect(await diskUse(folder)).toBe(said);
    expect(await diskUse(path.join(folder, "nothing"))).toBe(0);
  });

  test("adds up, the engine's parts to what its folder takes", async () => {
    const place = new Place();
    const engineFolder = path.join(place.home, "engine");
    mkdirSync(engineFolder);
    writeFileSync(path.join(engineFolder, "data"), "x".repeat(50_000));
    const records = { reclaimableBytes: 0, records: 3 };
    const disk = {
      kinds: { regular: { bytes: 8192, ...records }, "exec.cachemount": { bytes: 3000, ...records } },
      images: [{ name: `docker.io/library/node:22-bookworm-slim@sha256:${"0".repeat(64)}`, bytes: 4096 }],
      volumes: [
        { project: "p", name: "fastloop-npm", path: "/root/.npm", bytes: 1000 },
        { project: "other", name: "fastloop-npm", path: "/root/.npm", bytes: 2000 },
      ],
    };
    const { rows, totalBytes } = await cacheStatus({
      state: place.state,
      engineFolder,
      disk,
      project: "p",
      env: place.env,
    });
    const engine = rows.find((row) => row.class === "engine");
    expect(engine?.parts?.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(engine?.bytes);
    expect(engine?.parts?.slice(0, 2)).toEqual([
      { name: "image docker.io/library/node:22-bookworm-slim", bytes: 4096 },
      { name: "layers", bytes: 4096 },
    ]);
    expect(rows.find((row) => row.class === "volumes")?.parts).toEqual([
      { name: "fastloop-npm at /root/.npm", bytes: 1000 },
    ]);
    expect(rows.reduce((sum, { bytes = 0 }) => sum + bytes, 0)).toBe(totalBytes);
    expect(rows.find((row) => row.class === "mirror")?.bytes).toBe(
      await diskUse(path.join(place.home, "fastloop/images")),
    );
  });
});

describe("what the next run takes", () => {
  const entries = [run("a", 100, [10, 10]), run("a", 300, [10, 9]), run("a", 9000, [10, 0]), run("a", 1, [1, 0], "failed"), run("b", 50, [2, 2])]; // prettier-ignore

  test("is as it mostly was where the engine keeps its caches", () => {
    expect(expectedCost(entries, ["a", "b"], "soft")).toEqual({ totalMs: 350, unknown: [] });
  });

  test("is as the coldest runs were where it does not, and not known where there was none", () => {
    expect(expectedCost(entries, ["a", "b", "c"], "hard")).toEqual({ totalMs: 9000, unknown: ["b", "c"] });
  });
});

test("a project that begins with new volumes has others than before, and than its neighbours", () => {
  const env = { XDG_STATE_HOME: mkdtempSync(path.join(tmpdir(), "fastloop-volumes-")) };
  const [one, other] = [{ workdir: makeTree() }, { workdir: makeTree() }];
  expect(volumesOf(one, env)).toBe(projectIdentity(one));
  newVolumes(one, env);
  newVolumes(one, env);
  expect(volumesOf(one, env)).toBe(`${projectIdentity(one)}-2`);
  expect(volumesOf(other, env)).toBe(projectIdentity(other));
  writeFileSync(path.join(env.XDG_STATE_HOME, "fastloop/volumes.json"), `{"${projectIdentity(one)}": "x", `);
  expect(volumesOf(one, env)).toBe(projectIdentity(one));
});
