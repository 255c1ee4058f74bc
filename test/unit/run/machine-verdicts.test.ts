/** What the machine reports of each function between its events: verdicts, causes and what is left of it. */
import { describe, expect, test } from "vitest";
import { limitsOf } from "../../../src/run/machine/limits.ts";
import { reduce } from "../../../src/run/machine/machine.ts";
import {
  functionsRest,
  initialState,
  isScanning,
  isSettled,
  unknownFunction,
  type Effect,
  type FunctionState,
  type LoopEvent,
  type LoopState,
} from "../../../src/run/machine/state.ts";
import { finish, plan } from "./machine-events.ts";

/** The machine with what it has answered. */
class Machine {
  state: LoopState;
  effects: Effect[] = [];

  constructor(options: { jobs?: number; failFast?: boolean; manual?: boolean; watching?: boolean } = {}) {
    const { jobs = 4, ...rest } = options;
    this.state = initialState({ limits: limitsOf({ jobs, limits: { cpus: 100 } }), ...rest });
  }

  send(...events: LoopEvent[]): this {
    for (const event of events) {
      const step = reduce(this.state, event);
      this.state = step.state;
      this.effects = step.effects;
    }
    return this;
  }

  /** `phase verdict` of each function. */
  get shown(): string[] {
    return this.state.functions.map(({ name, phase, verdict }) => `${name} ${phase} ${verdict}`);
  }

  of(name: string): FunctionState {
    const found = this.state.functions.find((fn) => fn.name === name);
    if (found === undefined) throw new Error(`no function ${name}`);
    return found;
  }
}

const stop: LoopEvent = { kind: "stop" };

describe("verdicts on the way", () => {
  test("a function is unknown until its first run, and stale when an edit queues it again", () => {
    const machine = new Machine({ jobs: 1 }).send(plan("a:1", "b:1"));
    expect(machine.shown).toEqual(["a running unknown", "b queued unknown"]);
    machine.send(finish("a:1 passed"), finish("b:1 passed"), plan("a:2", "b:2"));
    expect(machine.shown).toEqual(["a running stale", "b queued stale"]);
  });

  test("in manual mode what an edit marks is parked, unknown at first and stale later", () => {
    const machine = new Machine({ manual: true }).send(plan("a:1"));
    expect(machine.shown).toEqual(["a parked unknown"]);
    machine.send({ kind: "asked" }, finish("a:1 passed"), plan("a:2"));
    expect(machine.shown).toEqual(["a parked stale"]);
  });

  test("entering manual mode parks the next edit, and leaves what is queued", () => {
    const machine = new Machine({ jobs: 1 }).send(plan("a:1", "b:1"), { kind: "manual", on: true });
    expect(machine.state.manual).toBe(true);
    expect(machine.shown).toEqual(["a running unknown", "b queued unknown"]);
    machine.send(finish("a:1 passed"), plan("a:2", "b:1"));
    expect(machine.of("a").phase).toBe("parked");
  });

  test("a run that an edit made stale says so at once, also where it may go on", () => {
    expect(new Machine().send(plan("a:1"), plan("a:2")).shown).toEqual(["a cancelling stale"]);
    const queued = new Machine().send(plan("queue!a:1"), plan("queue!a:2"));
    expect(queued.shown).toEqual(["a running stale"]);
    expect(queued.of("a")).toMatchObject({ running: "1", wanted: "2" });
  });

  test("what is cancelled is cancelled from that moment on: by the user, by fail-fast, by a stop", () => {
    const asked = new Machine().send(plan("a:1"), { kind: "cancel", name: "a" });
    expect(asked.shown).toEqual(["a cancelling cancelled"]);
    expect(asked.of("a").failed).toBe("1");
    const fast = new Machine({ failFast: true }).send(plan("a:1", "b:1"), finish("a:1 failed"));
    expect(fast.shown).toEqual(["a idle failed", "b cancelling cancelled"]);
    expect(new Machine().send(plan("a:1"), stop).shown).toEqual(["a cancelling cancelled"]);
  });

  test("what ends after a stop is cancelled, unless it passed on files that stood still", () => {
    const cancelled = (text: string): string[] => new Machine().send(plan("a:1"), stop, finish(text)).shown;
    expect(cancelled("a:1 failed")).toEqual(["a stopped cancelled"]);
    expect(cancelled("a:1 passed moved")).toEqual(["a stopped cancelled"]);
    // A stale run on its way out keeps what was known of it.
    const stale = new Machine().send(plan("a:1"), plan("a:2"), stop);
    expect(stale.shown).toEqual(["a cancelling stale"]);
    expect(stale.send(finish("a:1 passed")).shown).toEqual(["a stopped stale"]);
    expect(new Machine().send(plan("a:1"), plan("a:2"), stop, finish("a:1 cancelled")).shown).toEqual([
      "a stopped cancelled",
    ]);
  });

  test("a stop drops a verify under way", () => {
    const machine = new Machine({ watching: true }).send(plan("a:1"), finish("a:1 passed"));
    expect(machine.state.files.phase).toBe("verifying");
    machine.send(stop);
    expect(machine.state.files).toMatchObject({ phase: "part-seen", waiting: [] });
    expect(machine.effects).toEqual([{ kind: "drop-verify" }]);
    expect(machine.send(stop).effects).toEqual([]);
  });

  test("a stop cancels a run once", () => {
    const machine = new Machine().send(plan("a:1"), stop);
    expect(machine.effects.filter(({ kind }) => kind === "cancel")).toHaveLength(1);
    expect(machine.send(stop).effects.filter(({ kind }) => kind === "cancel")).toEqual([]);
  });

  test("an attempt that files overtook is stale until the scan that follows", () => {
    const machine = new Machine().send(plan("a:1"), finish("a:1 passed moved"));
    expect(machine.shown).toEqual(["a overtaken stale"]);
    expect(machine.effects).toContainEqual({ kind: "rescan" });
    expect(machine.of("a")).toMatchObject({ overtaken: 1, endedStale: 1, passedStale: true });
    machine.send(plan("a:2"), finish("a:2 failed moved"));
    expect(machine.of("a")).toMatchObject({ overtaken: 2, endedStale: 2, passedStale: false });
  });

  test("what a queued policy ends on old files counts as an attempt, what was cancelled does not", () => {
    const ended = new Machine().send(plan("queue!a:1"), plan("queue!a:2"), finish("a:1 passed"));
    expect(ended.of("a")).toMatchObject({ phase: "running", verdict: "stale", overtaken: 1, endedStale: 1 });
    const cancelled = new Machine().send(plan("queue!a:1"), plan("queue!a:2"), finish("a:1 cancelled"));
    expect(cancelled.of("a")).toMatchObject({ phase: "running", endedStale: 0 });
  });

  test("a result leaves nothing of the attempts before it", () => {
    const machine = new Machine().send(plan("a:1"), finish("a:1 failed"), plan("a:2"), finish("a:2 passed"));
    expect(machine.of("a")).toMatchObject({
      verdict: "current",
      affected: false,
      failed: undefined,
      running: undefined,
      overtaken: 0,
      endedStale: 0,
    });
  });
});

describe("functions that leave the configuration", () => {
  test("only those that run are kept, until their run has ended", () => {
    const machine = new Machine({ jobs: 1 }).send(plan("old:1", "done=1", "waiting:1"), plan());
    expect(machine.shown).toEqual(["old cancelling unknown"]);
    expect(machine.effects).toContainEqual({ kind: "cancel", name: "old", digest: "1", why: "gone" });
    expect(machine.send(finish("old:1 cancelled")).state.functions).toEqual([]);
  });

  test("one that is already being cancelled is not cancelled twice", () => {
    const machine = new Machine().send(plan("old:1"), plan("old:2"), plan());
    expect(machine.effects.filter(({ kind }) => kind === "cancel")).toEqual([]);
    expect(machine.shown).toEqual(["old cancelling stale"]);
  });

  test("after a stop nothing is forgotten, for the summary names it", () => {
    const machine = new Machine().send(plan("old:1", "a:1"), plan("a:1"), stop, finish("old:1 cancelled"));
    expect(machine.state.functions.map(({ name }) => name)).toEqual(["a", "old"]);
  });
});

describe("needs", () => {
  test("a need that is not in the plan holds nobody back", () => {
    expect(new Machine().send(plan("api<lib:1")).shown).toEqual(["api running unknown"]);
  });

  test("a function with a result is blocked while its need fails, and current again with the plan that repairs it", () => {
    const machine = new Machine().send(plan("a:1", "b:1", "api<a,b=1"), finish("a:1 failed"));
    expect(machine.of("api")).toMatchObject({ phase: "idle", verdict: "blocked", blockedBy: "a" });
    machine.send(finish("b:1 passed"));
    expect(machine.of("api")).toMatchObject({ phase: "idle", verdict: "blocked", blockedBy: "a" });
    machine.send(plan("a:2", "b=1", "api<a,b=1"));
    expect(machine.of("api")).toMatchObject({ phase: "idle", verdict: "current", blockedBy: undefined });
  });

  test("a need that failed does not block what does not need it, and its name is told once", () => {
    const machine = new Machine().send(plan("a:1", "b<a:1", "c=1"), finish("a:1 failed"));
    expect(machine.effects).toContainEqual({ kind: "blocked", name: "b", need: "a" });
    expect(machine.of("c").blockedBy).toBeUndefined();
    expect(machine.send(plan("a:1", "b<a:1", "c=1")).effects.filter(({ kind }) => kind === "blocked")).toEqual([]);
  });

  test("a limit that is short is told once", () => {
    const big = (text: string): LoopEvent => {
      const planned = plan("a:1", text);
      if (planned.kind !== "planned") throw new Error("not a plan");
      const uses = { containers: 1, memoryBytes: 0, cpus: 80 };
      return { ...planned, functions: planned.functions.map((fn) => ({ ...fn, uses })) };
    };
    const machine = new Machine().send(big("b:1"));
    expect(machine.effects).toContainEqual({ kind: "short", name: "b", of: "CPUs" });
    expect(machine.send(big("b:2")).effects.filter(({ kind }) => kind === "short")).toEqual([]);
  });
});

describe("rest", () => {
  test("a machine is born with nothing to do, and a function with nothing known of it", () => {
    const { state } = new Machine();
    expect(state.functions).toEqual([]);
    expect(state).toMatchObject({ watching: false, failFast: false, manual: false, stopping: false });
    expect(unknownFunction("a")).toMatchObject({
      needs: [],
      policy: "restart",
      phase: "initial",
      verdict: "unknown",
      wanted: "",
      affected: true,
      held: false,
      passedStale: false,
      reasons: [],
      uses: { containers: 0, memoryBytes: 0, cpus: 0 },
    });
  });

  test("a run becomes a watch", () => {
    expect(new Machine().send({ kind: "watch" }).state.watching).toBe(true);
  });

  test("it is settled when no function runs or waits and no file is unsettled", () => {
    const machine = new Machine().send(plan("a:1"));
    expect([functionsRest(machine.state), isSettled(machine.state)]).toEqual([false, false]);
    machine.send(finish("a:1 passed"));
    expect([functionsRest(machine.state), isSettled(machine.state)]).toEqual([true, true]);
    machine.send({ kind: "hinted" });
    expect([functionsRest(machine.state), isSettled(machine.state)]).toEqual([true, false]);
    expect(functionsRest(new Machine({ manual: true }).send(plan("a:1")).state)).toBe(true);
    expect(functionsRest(new Machine().send(plan("a:1"), stop, finish("a:1 cancelled")).state)).toBe(true);
  });

  test("it is scanning while a scan is under way or waits", () => {
    const machine = new Machine();
    expect(isScanning(machine.state)).toBe(false);
    machine.send({ kind: "scan", scan: { paths: new Set(), everywhere: "asked" } });
    expect(isScanning(machine.state)).toBe(true);
    // A second one waits for the first.
    machine.send({ kind: "scan", scan: { paths: new Set(), everywhere: "asked" } }, plan("a=1"));
    expect(isScanning(machine.state)).toBe(true);
    machine.send(plan("a=1"));
    expect(isScanning(machine.state)).toBe(false);
  });
});
