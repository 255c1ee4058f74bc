import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cgroupMonitor, freeBytes, type CgroupPlaces } from "../../../src/extensions/cgroup.ts";
import { Allocation, type ResourceMonitor } from "../../../src/extensions/index.ts";
import { simpleMonitor } from "../../../src/extensions/resources.ts";

const one = { containers: 1, memoryBytes: 0, cpus: 0 };
const limits = { containers: 2, memoryBytes: 1000, cpus: 1 };

describe("what functions declare", () => {
  it("is added up against the limits", () => {
    const usage = simpleMonitor.currentUsage([one, { ...one, memoryBytes: 600 }]);
    expect(usage).toEqual({ containers: 2, memoryBytes: 600, cpus: 0 });
    const may = (request: Partial<typeof one>) =>
      simpleMonitor.canAllocate({ containers: 0, memoryBytes: 0, cpus: 0, ...request }, usage as never, limits);
    expect([may({ containers: 1 }), may({ memoryBytes: 400 }), may({ memoryBytes: 401 }), may({ cpus: 1 })]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });
});

describe("the cgroup", () => {
  let places: CgroupPlaces;
  beforeEach(() => {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-cgroup-"));
    places = {
      mount: path.join(folder, "mount"),
      self: path.join(folder, "self"),
      meminfo: path.join(folder, "meminfo"),
    };
    mkdirSync(places.mount);
    writeFileSync(places.meminfo, "MemTotal: 9000000 kB\nMemAvailable:    1000 kB\n");
  });
  afterEach(() => rmSync(path.dirname(places.mount), { recursive: true }));

  function write(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(places.mount, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  it("of version 2 has what the tightest of those above it has left; pages of files count as free", () => {
    writeFileSync(places.self, "0::/jobs/build\n");
    write({
      "jobs/memory.max": "900000\n",
      "jobs/memory.current": "500000\n",
      "jobs/memory.stat": "anon 1\ninactive_file 100000\n",
      "jobs/build/memory.max": "max\n",
      "jobs/build/memory.current": "400000\n",
    });
    expect(freeBytes(places)).toBe(500_000);
    const monitor = cgroupMonitor(places);
    const may = (memoryBytes: number) => monitor.canAllocate({ ...one, memoryBytes }, one, limits);
    expect([may(500_000), may(500_001)]).toEqual([true, false]);
    expect(monitor.currentUsage([one, one])).toMatchObject({ containers: 2, cpus: 0 });
  });

  it("of version 1 is that of the memory controller", () => {
    writeFileSync(places.self, "5:cpu:/other\n4:memory:/jobs\n0::/\n");
    write({
      "memory/jobs/memory.limit_in_bytes": "700000\n",
      "memory/jobs/memory.usage_in_bytes": "600000\n",
      "memory/jobs/memory.stat": "cache 5\ntotal_inactive_file 50000\n",
    });
    expect(freeBytes(places)).toBe(150_000);
  });

  it("without a bound is the machine", () => {
    writeFileSync(places.self, "0::/\n");
    expect(freeBytes(places)).toBe(1000 * 1024);
  });
});

describe("functions that wait for room", () => {
  const monitorOf = (may: () => unknown): ResourceMonitor => ({
    name: "mine",
    currentUsage: () => one,
    canAllocate: () => may() as boolean,
  });
  const request = (signal = new AbortController().signal, onWait = (): void => undefined) => ({
    uses: one,
    limits,
    signal,
    onWait,
  });

  it("start at once where nothing is asked, and one always may", async () => {
    const allocation = new Allocation(() => undefined);
    await Promise.all([allocation.allocate(request()), allocation.allocate(request())]);
    allocation.use(monitorOf(() => false));
    const alone = new Allocation(() => undefined);
    alone.use(monitorOf(() => false));
    (await alone.allocate(request()))();
    (await alone.allocate(request()))();
  });

  it("start in their order when there is room, and say once that they wait", async () => {
    let hasRoom = false;
    const told: string[] = [];
    const allocation = new Allocation(() => undefined);
    allocation.use(monitorOf(() => hasRoom));
    await allocation.allocate(request());
    const order: number[] = [];
    const second = allocation.allocate(request(undefined, () => told.push("second"))).then(() => order.push(2));
    const third = allocation.allocate(request(undefined, () => told.push("third"))).then(() => order.push(3));
    await expect.poll(() => told).toEqual(["second"]);
    hasRoom = true;
    await Promise.all([second, third]);
    expect(order).toEqual([2, 3]);
    expect(told).toEqual(["second"]);
  });

  it("start when those before have ended, and not at all when they are cancelled", async () => {
    const allocation = new Allocation(() => undefined);
    allocation.use(monitorOf(() => false));
    const release = await allocation.allocate(request());
    const cancelling = new AbortController();
    const cancelled = allocation.allocate(request(cancelling.signal));
    const next = allocation.allocate(request());
    cancelling.abort(new Error("an edit"));
    await expect(cancelled).rejects.toThrow("an edit");
    release();
    await next;
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
      /it failed \(broken\)/,
    ],
    ["gives no boolean", () => "yes", /canAllocate\(\) gave no boolean/],
  ])("are not held up by a monitor that %s", async (_what, may, told) => {
    const notices: string[] = [];
    const allocation = new Allocation((text) => notices.push(text));
    allocation.use(monitorOf(may));
    for (let count = 0; count < 3; count++) await allocation.allocate(request());
    expect(notices).toEqual([expect.stringMatching(told)]);
  });
});
