import { describe, expect, test } from "vitest";
import { resourcesOf } from "../../../src/plan/index.ts";
import { limitsOf } from "../../../src/run/machine/limits.ts";
import { reduce } from "../../../src/run/machine/machine.ts";
import {
  initialState,
  isPending,
  type Effect,
  type RequestedScan,
  type LoopEvent,
  type LoopState,
} from "../../../src/run/machine/state.ts";
import { FakeClock } from "../watch/fake-clock.ts";

/** How long things take in the simulated project. */
const settleMs = 50;
const scanMs = 20;
const verifyMs = 30;
const runMs = 100;

/**
 * A project of one function on one file, whose version each save raises. Everything that the machine asks for takes its
 * time on a fake clock, and every effect is written down.
 */
class World {
  readonly clock = new FakeClock();
  readonly log: string[] = [];
  state: LoopState;
  /** What the file is now; undefined: the project cannot be read. */
  file: number | undefined = 1;
  private seen = 0;
  private passed = 0;
  private cancelSettle: () => void = () => undefined;

  constructor(options: { watching: boolean; manual?: boolean }) {
    this.state = initialState({ ...options, limits: limitsOf({ jobs: 1 }) });
  }

  send(event: LoopEvent): void {
    const { state, effects } = reduce(this.state, event);
    this.state = state;
    for (const effect of effects) this.perform(effect);
  }

  scan(everywhere: RequestedScan["everywhere"]): RequestedScan {
    const scan: RequestedScan = { paths: new Set(), everywhere };
    this.send({ kind: "scan", scan });
    return scan;
  }

  /** A save: the watch hears of it at once, and looks when files have rested. */
  save(file: number | undefined = (this.file ?? 0) + 1): void {
    this.file = file;
    this.hint(undefined);
  }

  at(timeMs: number, action: () => void): void {
    this.clock.after(timeMs - this.clock.nowMs(), action);
  }

  run(untilMs: number): string[] {
    this.clock.advanceTo(untilMs);
    return this.log;
  }

  private hint(everywhere: RequestedScan["everywhere"]): void {
    this.send({ kind: "hinted" });
    this.cancelSettle();
    this.cancelSettle = this.clock.after(settleMs, () => void this.scan(everywhere));
  }

  private perform(effect: Effect): void {
    this.log.push(`${this.clock.nowMs()} ${text(effect)}`);
    if (effect.kind === "scan") this.clock.after(scanMs, () => this.endScan(effect.scan));
    else if (effect.kind === "start") this.start(Number(effect.digest));
    else if (effect.kind === "rescan") {
      if (this.state.watching) this.hint("confirm");
      else this.scan("confirm");
    } else if (effect.kind === "verify") {
      const file = this.seen;
      this.clock.after(verifyMs, () =>
        this.send({ kind: "verified", attempt: effect.attempt, isStill: this.file === file }),
      );
    }
  }

  private endScan(scan: RequestedScan): void {
    if (this.file === undefined) return this.send({ kind: "unreadable" });
    this.seen = this.file;
    this.send({
      kind: "planned",
      whole: scan.everywhere !== undefined,
      functions: [
        {
          name: "lib",
          needs: [],
          policy: "restart",
          digest: String(this.file),
          affected: this.passed !== this.file,
          reasons: [],
          forced: false,
          uses: resourcesOf({ containers: 1 }),
        },
      ],
    });
  }

  private start(file: number): void {
    this.clock.after(runMs, () => {
      if (this.state.functions[0]?.phase === "cancelling")
        return this.send({ kind: "finished", name: "lib", digest: String(file), outcome: "cancelled", fresh: true });
      const fresh = this.file === file;
      if (fresh) this.passed = file;
      this.send({ kind: "finished", name: "lib", digest: String(file), outcome: "passed", fresh });
    });
  }
}

function text(effect: Effect): string {
  if (effect.kind === "scan") return `scan ${effect.scan.everywhere ?? "of hints"}`;
  if (effect.kind === "verify") return `verify ${effect.attempt}`;
  return "name" in effect ? `${effect.kind} ${effect.name}` : effect.kind;
}

describe("a watch", () => {
  test("scans, runs, and verifies before it says that all is up to date", () => {
    const world = new World({ watching: true });
    world.scan("start");
    expect(world.run(1000)).toEqual(["0 scan start", "20 start lib", "120 verify 1", "150 settled"]);
    expect(world.state.files.phase).toBe("verified");
  });

  test("needs no verify where a full scan finds nothing to run", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.run(1000);
    world.log.length = 0;
    world.scan("timer");
    expect(world.run(2000)).toEqual(["1000 scan timer", "1020 settled"]);
  });

  test("verifies after a scan of hints, though nothing ran", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.run(1000);
    world.log.length = 0;
    world.save(1);
    expect(world.run(2000)).toEqual(["1050 scan of hints", "1070 verify 2", "1100 settled"]);
  });

  test("drops a verify that a save makes old, and its late answer changes nothing", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.at(130, () => world.save());
    expect(world.run(1000)).toEqual([
      "0 scan start",
      "20 start lib",
      "120 verify 1",
      "130 drop-verify",
      "180 scan of hints",
      "200 start lib",
      "300 verify 2",
      "330 settled",
    ]);
  });

  test("scans everything again where a verify finds what no hint told of", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.at(130, () => (world.file = 2));
    expect(world.run(1000)).toEqual([
      "0 scan start",
      "20 start lib",
      "120 verify 1",
      "150 rescan",
      "200 scan confirm",
      "220 start lib",
      "320 verify 2",
      "350 settled",
    ]);
  });

  test("an answer of an older verify says nothing, whatever it is", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.run(120);
    expect(world.state.files).toMatchObject({ phase: "verifying", attempt: 1 });
    world.send({ kind: "verified", attempt: 0, isStill: true });
    expect(world.state.files.phase).toBe("verifying");
    world.send({ kind: "hinted" });
    world.send({ kind: "verified", attempt: 1, isStill: true });
    expect(world.state.files.phase).toBe("unsettled");
    expect(world.log).not.toContain("120 settled");
  });

  test("starts nothing while another scan is requested", () => {
    const world = new World({ watching: true });
    world.scan("start");
    const second = world.scan("asked");
    expect(isPending(world.state, second)).toBe(true);
    expect(world.run(30)).toEqual(["0 scan start", "20 scan asked"]);
    expect(world.run(1000).slice(2)).toEqual(["40 start lib", "140 verify 1", "170 settled"]);
    expect(isPending(world.state, second)).toBe(false);
  });

  test("a save during a run cancels it, and the stale attempt's end starts the newer one", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.at(30, () => world.save());
    expect(world.run(1000)).toEqual([
      "0 scan start",
      "20 start lib",
      "80 scan of hints",
      "100 cancel lib",
      "120 start lib",
      "220 verify 1",
      "250 settled",
    ]);
  });

  test("a result of files that moved without a word is looked at again, and is no result", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.at(110, () => (world.file = 2));
    expect(world.run(1000)).toEqual([
      "0 scan start",
      "20 start lib",
      "120 rescan",
      "170 scan confirm",
      "190 start lib",
      "290 verify 1",
      "320 settled",
    ]);
  });

  test("a configuration that cannot be read starts nothing, and what runs goes on; mended, it is looked at", () => {
    const world = new World({ watching: true });
    world.scan("start");
    world.at(30, () => {
      world.save(undefined);
      world.file = 1;
      world.at(90, () => (world.file = undefined));
      world.at(110, () => (world.file = 1));
    });
    world.at(400, () => world.save(2));
    expect(world.run(350)).toEqual(["0 scan start", "20 start lib", "80 scan of hints"]);
    expect(world.state.files.phase).toBe("unreadable");
    expect(world.state.functions[0]).toMatchObject({ phase: "idle", verdict: "current" });
    expect(world.run(1000).slice(3)).toEqual(["450 scan of hints", "470 start lib", "570 verify 1", "600 settled"]);
  });

  test("what is run by hand during a verify drops it; there is another when that has ended", () => {
    const world = new World({ watching: true, manual: true });
    world.scan("start");
    world.save();
    // The plan parks; the files are verified at rest.
    world.run(75);
    expect(world.state.files.phase).toBe("verifying");
    world.send({ kind: "asked" });
    expect(world.run(1000)).toEqual([
      "0 scan start",
      "20 settled",
      "50 scan of hints",
      "70 verify 1",
      "75 start lib",
      "75 drop-verify",
      "175 verify 2",
      "205 settled",
    ]);
  });

  test("stop drops the verify and the looks that wait, and nothing starts any more", () => {
    const world = new World({ watching: true });
    world.scan("start");
    const waiting = world.scan("asked");
    world.send({ kind: "stop" });
    expect(isPending(world.state, waiting)).toBe(false);
    expect(world.run(1000)).toEqual(["0 scan start"]);
    const late = world.scan("asked");
    expect(isPending(world.state, late)).toBe(false);
  });
});

describe("a single run", () => {
  test("is over without a verify where nothing had to run", () => {
    const world = new World({ watching: false });
    world.scan("asked");
    world.run(1000);
    const again = new World({ watching: false });
    again.send({ kind: "scan", scan: { paths: new Set(), everywhere: "asked" } });
    again.send({ kind: "planned", functions: [], whole: true });
    expect(again.log).toEqual(["0 scan asked", "0 settled"]);
  });

  test("verifies after what ran, and looks again where files moved", () => {
    const world = new World({ watching: false });
    world.scan("asked");
    world.at(140, () => (world.file = 2));
    expect(world.run(1000)).toEqual([
      "0 scan asked",
      "20 start lib",
      "120 verify 1",
      "150 rescan",
      "150 scan confirm",
      "170 start lib",
      "270 verify 2",
      "300 settled",
    ]);
  });

  test("ends where a program only touches files all the time", () => {
    const world = new World({ watching: false });
    world.scan("asked");
    world.run(120);
    for (let looks = 0; looks < 20 && world.state.files.phase === "verifying"; looks++) {
      world.send({ kind: "verified", attempt: world.state.files.attempt, isStill: false });
      world.run(world.clock.nowMs() + scanMs);
    }
    expect(world.log.filter((line) => line.endsWith("rescan"))).toHaveLength(3);
    expect(world.log.at(-1)).toMatch(/ settled$/);
  });
});
