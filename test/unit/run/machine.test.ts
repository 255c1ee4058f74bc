import { describe, expect, test } from "vitest";
import { resourcesOf } from "../../../src/plan/index.ts";
import { limitsOf } from "../../../src/run/machine/limits.ts";
import { reduce } from "../../../src/run/machine/machine.ts";
import { restoredBy } from "../../../src/run/machine/functions.ts";
import {
  initialState,
  isSettled,
  type Effect,
  type LoopEvent,
  type LoopState,
  type PlannedFunction,
} from "../../../src/run/machine/state.ts";
import { seeded } from "../tree/fixture.ts";
import { finish, plan, planOf } from "./machine-events.ts";

/** What happens to functions; the files' own effects have tests of their own (scans.test.ts). */
function ofFunctions(effects: readonly Effect[]): Extract<Effect, { name: string }>[] {
  return effects.filter((effect) => "name" in effect);
}

function short(effect: Extract<Effect, { name: string }>): string {
  if (effect.kind === "blocked") return `blocked ${effect.name} by ${effect.need}`;
  if (effect.kind === "short") return `short ${effect.name} of ${effect.of}`;
  if (effect.kind === "restless") return `restless ${effect.name} ${effect.times}`;
  if (effect.kind === "cancel") return `cancel ${effect.name}:${effect.digest} ${effect.why}`;
  return `start ${effect.name}:${effect.digest}`;
}

/** The plan, but that this function waits. */
function held(event: LoopEvent, name: string): LoopEvent {
  if (event.kind !== "planned") throw new Error("not a plan");
  return { ...event, functions: event.functions.map((fn) => (fn.name === name ? { ...fn, held: true } : fn)) };
}

function uses(text: string, gigabytes: number): PlannedFunction {
  return { ...planOf(text), uses: resourcesOf({ memory: `${gigabytes}GB` }) };
}

const hint: LoopEvent = { kind: "hinted" };
const stop: LoopEvent = { kind: "stop" };

const cases: {
  name: string;
  jobs?: number;
  failFast?: boolean;
  manual?: boolean;
  steps: [LoopEvent, string[]][];
  end: string;
}[] = [
  {
    name: "what is affected runs in order, what is current does not",
    steps: [
      [plan("lib:1", "api<lib:1", "worker=1"), ["start lib:1"]],
      [finish("lib:1 passed"), ["start api:1"]],
      [finish("api:1 passed"), []],
    ],
    end: "lib current, api current, worker current",
  },
  {
    name: "independent functions run at a time, as many as there are jobs",
    jobs: 2,
    steps: [
      [plan("a:1", "b:1", "c:1"), ["start a:1", "start b:1"]],
      [finish("b:1 passed"), ["start c:1"]],
    ],
    end: "a running, b current, c running",
  },
  {
    name: "a newer edit cancels exactly what it made stale, and waits until that is gone",
    steps: [
      [plan("lib:1", "worker:1"), ["start lib:1", "start worker:1"]],
      [hint, []],
      [plan("lib:2", "worker:1"), ["cancel lib:1 stale"]],
      [finish("lib:1 cancelled"), ["start lib:2"]],
    ],
    end: "lib running, worker running",
  },
  {
    name: "what a run has taught of its inputs gives the same files another digest, which needs no other run",
    steps: [
      [plan("lib:1"), ["start lib:1"]],
      [{ ...finish("lib:1 passed"), learned: "7" } as LoopEvent, []],
      [plan("lib=7"), []],
      [plan("lib:8"), ["start lib:8"]],
      [{ ...finish("lib:8 failed"), learned: "9" } as LoopEvent, []],
      [plan("lib:9"), []],
    ],
    end: "lib failed",
  },
  {
    name: "an edit that is taken back before it was seen cancels nothing",
    steps: [
      [plan("lib:1"), ["start lib:1"]],
      [hint, []],
      [plan("lib:1"), []],
      [finish("lib:1 passed"), []],
    ],
    end: "lib current",
  },
  {
    name: "what somebody cancels stays so, and blocks what needs it, until its files change",
    steps: [
      [plan("lib:1", "api<lib:1", "worker:1"), ["start lib:1", "start worker:1"]],
      [{ kind: "cancel", name: "lib" }, ["cancel lib:1 asked"]],
      [finish("lib:1 cancelled"), ["blocked api by lib"]],
      [plan("lib:1", "api<lib:1", "worker:1"), []],
      [plan("lib:2", "api<lib:2", "worker:1"), ["start lib:2"]],
    ],
    end: "lib running, api queued, worker running",
  },
  {
    name: "what somebody cancels runs again when it is asked for, before its end as well",
    steps: [
      [plan("lib:1"), ["start lib:1"]],
      [{ kind: "cancel", name: "lib" }, ["cancel lib:1 asked"]],
      [plan("force!lib:1"), []],
      [finish("lib:1 cancelled"), ["start lib:1"]],
      [{ kind: "cancel", name: "lib" }, ["cancel lib:1 asked"]],
      [finish("lib:1 cancelled"), []],
      [plan("force!lib:1"), ["start lib:1"]],
    ],
    end: "lib running",
  },
  {
    name: "what waits and is cancelled does not start, and what has ended stays as it is",
    jobs: 1,
    steps: [
      [plan("a:1", "b:1"), ["start a:1"]],
      [{ kind: "cancel", name: "b" }, []],
      [finish("a:1 passed"), []],
      [{ kind: "cancel", name: "a" }, []],
    ],
    end: "a current, b cancelled",
  },
  {
    name: "a run that became needless is cancelled",
    steps: [
      [plan("lib:2"), ["start lib:2"]],
      [plan("lib=1"), ["cancel lib:2 stale"]],
      [finish("lib:2 cancelled"), []],
    ],
    end: "lib current",
  },
  {
    name: "with policy queue a run that became needless ends, and nothing follows it",
    steps: [
      [plan("queue!lib:2"), ["start lib:2"]],
      [plan("queue!lib=1"), []],
      [finish("lib:2 passed"), []],
    ],
    end: "lib current",
  },
  {
    name: "a function whose own quiet time is not over waits for it",
    steps: [
      [{ kind: "planned", functions: [{ ...planOf("slow:2"), held: true }, planOf("quick:2")] }, ["start quick:2"]],
      [finish("quick:2 passed"), []],
      [{ kind: "released", names: ["slow"] }, ["start slow:2"]],
    ],
    end: "slow running, quick current",
  },
  {
    name: "files that moved again while they were looked at start nothing, but cancel what is stale",
    steps: [
      [plan("lib:1", "worker=1"), ["start lib:1"]],
      [{ ...plan("lib:2", "worker:2"), unsettled: true } as LoopEvent, ["cancel lib:1 stale"]],
      [finish("lib:1 cancelled"), []],
      [plan("lib:3", "worker:2"), ["start lib:3", "start worker:2"]],
    ],
    end: "lib running, worker running",
  },
  {
    name: "with policy queue a stale run ends first, and its result does not count",
    steps: [
      [plan("queue!lib:1"), ["start lib:1"]],
      [plan("queue!lib:2"), []],
      [finish("lib:1 passed"), ["start lib:2"]],
    ],
    end: "lib running",
  },
  {
    name: "a failure blocks its dependents only",
    steps: [
      [plan("lib:1", "api<lib:1", "web<api:1", "worker:1"), ["start lib:1", "start worker:1"]],
      [finish("lib:1 failed"), ["blocked api by lib", "blocked web by api"]],
      [finish("worker:1 passed"), []],
    ],
    end: "lib failed, api blocked, web blocked, worker current",
  },
  {
    name: "what failed is not tried again on the same files, and is on others",
    steps: [
      [plan("lib:1", "worker:1"), ["start lib:1", "start worker:1"]],
      [finish("lib:1 failed"), []],
      [plan("lib:1", "worker:2"), ["cancel worker:1 stale"]],
      [finish("worker:1 cancelled"), ["start worker:2"]],
      [plan("lib:3", "worker:2"), ["start lib:3"]],
    ],
    end: "lib running, worker running",
  },
  {
    name: "what failed is tried again when asked for",
    steps: [
      [plan("lib:1"), ["start lib:1"]],
      [finish("lib:1 failed"), []],
      [plan("force!lib:1"), ["start lib:1"]],
    ],
    end: "lib running",
  },
  {
    name: "a repair unblocks what waited for it",
    steps: [
      [plan("lib:1", "api<lib:1"), ["start lib:1"]],
      [finish("lib:1 failed"), ["blocked api by lib"]],
      [plan("lib:2", "api<lib:2"), ["start lib:2"]],
      [finish("lib:2 passed"), ["start api:2"]],
    ],
    end: "lib current, api running",
  },
  {
    name: "a result whose inputs changed meanwhile is stale, and the next look decides",
    steps: [
      [plan("lib:1"), ["start lib:1"]],
      [finish("lib:1 passed moved"), []],
      [plan("lib:2"), ["start lib:2"]],
    ],
    end: "lib running",
  },
  {
    name: "from the third attempt in a row that files overtook it is told, and those that need it run while it waits",
    steps: [
      [plan("gen:1", "use<gen:1"), ["start gen:1"]],
      [finish("gen:1 passed moved"), []],
      [plan("gen:2", "use<gen:2"), ["start gen:2"]],
      [finish("gen:2 passed moved"), []],
      [plan("gen:3", "use<gen:3"), ["start gen:3"]],
      [finish("gen:3 passed moved"), ["restless gen 3"]],
      [held(plan("gen:4", "use<gen:4"), "gen"), ["start use:4"]],
      [finish("use:4 passed"), []],
      [{ kind: "released", names: ["gen"] }, ["start gen:4"]],
      [finish("gen:4 failed moved"), ["restless gen 4"]],
      [held(plan("gen:5", "use<gen:5"), "gen"), []],
    ],
    end: "gen queued, use queued",
  },
  {
    name: "what ran on a need's last result that passed is blocked when the need fails, and current again when it passes",
    steps: [
      [plan("gen:1", "use<gen:1", "web<use:1"), ["start gen:1"]],
      [finish("gen:1 passed moved"), []],
      [plan("gen:2", "use<gen:2", "web<use:2"), ["start gen:2"]],
      [finish("gen:2 passed moved"), []],
      [plan("gen:3", "use<gen:3", "web<use:3"), ["start gen:3"]],
      [finish("gen:3 passed moved"), ["restless gen 3"]],
      [held(plan("gen:4", "use<gen:4", "web<use:4"), "gen"), ["start use:4"]],
      [finish("use:4 passed"), ["start web:4"]],
      [finish("web:4 passed"), []],
      [{ kind: "released", names: ["gen"] }, ["start gen:4"]],
      [finish("gen:4 failed"), ["blocked use by gen", "blocked web by use"]],
      [plan("gen:4", "use<gen=4", "web<use=4"), []],
      [plan("force!gen:4", "use<gen=4", "web<use=4"), ["start gen:4"]],
      [finish("gen:4 passed"), []],
    ],
    end: "gen current, use current, web current",
  },
  {
    name: "what failed on a need's last result that passed is blocked when the need fails too",
    steps: [
      [plan("gen:1", "use<gen:1"), ["start gen:1"]],
      [finish("gen:1 passed moved"), []],
      [plan("gen:2", "use<gen:2"), ["start gen:2"]],
      [finish("gen:2 passed moved"), []],
      [plan("gen:3", "use<gen:3"), ["start gen:3"]],
      [finish("gen:3 passed moved"), ["restless gen 3"]],
      [held(plan("gen:4", "use<gen:4"), "gen"), ["start use:4"]],
      [finish("use:4 failed"), []],
      [{ kind: "released", names: ["gen"] }, ["start gen:4"]],
      [finish("gen:4 failed"), ["blocked use by gen"]],
      [plan("gen:4", "use<gen:4"), []],
    ],
    end: "gen failed, use blocked",
  },
  {
    name: "an attempt that stood still ends the row",
    steps: [
      [plan("gen:1"), ["start gen:1"]],
      [finish("gen:1 passed moved"), []],
      [plan("gen:2"), ["start gen:2"]],
      [finish("gen:2 passed moved"), []],
      [plan("gen:3"), ["start gen:3"]],
      [finish("gen:3 passed"), []],
      [plan("gen:4"), ["start gen:4"]],
      [finish("gen:4 passed moved"), []],
    ],
    end: "gen overtaken",
  },
  {
    name: "runs that edits cancel count as well",
    steps: [
      [plan("a:1"), ["start a:1"]],
      [plan("a:2"), ["cancel a:1 stale"]],
      [finish("a:1 cancelled"), ["start a:2"]],
      [plan("a:3"), ["cancel a:2 stale"]],
      [finish("a:2 cancelled"), ["start a:3"]],
      [plan("a:4"), ["cancel a:3 stale", "restless a 3"]],
      [finish("a:3 cancelled"), ["start a:4"]],
      [plan("a:5"), ["cancel a:4 stale", "restless a 4"]],
      [finish("a:4 cancelled"), ["start a:5"]],
      [plan("a:6"), ["cancel a:5 stale", "restless a 5"]],
      [finish("a:5 cancelled"), ["start a:6"]],
      [finish("a:6 passed"), []],
      [plan("a:7"), ["start a:7"]],
      [plan("a:8"), ["cancel a:7 stale"]],
    ],
    end: "a cancelling",
  },
  {
    name: "a function that was given up is failed on whatever files there are",
    steps: [
      [plan("a:1"), ["start a:1"]],
      [finish("a:1 failed"), []],
      [{ kind: "planned", functions: [{ ...planOf("a:2"), givenUp: true }] }, []],
    ],
    end: "a failed",
  },
  {
    name: "while hints come in nothing starts",
    steps: [
      [plan("lib:1", "api<lib:1"), ["start lib:1"]],
      [hint, []],
      [finish("lib:1 passed"), []],
      [plan("lib=1", "api<lib:1"), ["start api:1"]],
    ],
    end: "lib current, api running",
  },
  {
    name: "with fail-fast the first failure cancels what runs, and nothing starts before its repair",
    jobs: 2,
    failFast: true,
    steps: [
      [plan("a:1", "b:1", "c:1"), ["start a:1", "start b:1"]],
      [finish("a:1 failed"), ["cancel b:1 fail-fast", "blocked c by a"]],
      [finish("b:1 cancelled"), []],
      [plan("a:1", "b:1", "c:1"), ["blocked b by a"]],
      [plan("a:2", "b:1", "c:1"), ["start a:2", "start b:1"]],
    ],
    end: "a running, b running, c queued",
  },
  {
    name: "what a limit has no room for waits, and nothing behind it overtakes it",
    steps: [
      [
        { kind: "planned", functions: [uses("a:1", 3), uses("b:1", 3), uses("c:1", 0)] },
        ["start a:1", "short b of memory"],
      ],
      [finish("a:1 passed"), ["start b:1", "start c:1"]],
    ],
    end: "a current, b running, c running",
  },
  {
    name: "a function that takes more than there is runs alone",
    steps: [
      [{ kind: "planned", functions: [uses("a:1", 1), uses("huge:1", 64)] }, ["start a:1", "short huge of memory"]],
      [finish("a:1 passed"), ["start huge:1"]],
    ],
    end: "a current, huge running",
  },
  {
    name: "in manual mode an edit starts and cancels nothing, until it is asked for",
    manual: true,
    steps: [
      [plan("lib:1", "api<lib:1"), []],
      [{ kind: "asked" }, ["start lib:1"]],
      [plan("lib:2", "api<lib:2"), []],
      [finish("lib:1 passed"), []],
    ],
    end: "lib parked, api parked",
  },
  {
    name: "in manual mode what is asked for by name runs with what it needs",
    manual: true,
    steps: [
      [plan("lib:1", "api<lib:1", "worker:1"), []],
      [plan("lib:1", "force!api<lib:1", "worker:1"), ["start lib:1"]],
      [finish("lib:1 passed"), ["start api:1"]],
    ],
    end: "lib current, api running, worker parked",
  },
  {
    name: "leaving manual mode runs what edits have marked",
    manual: true,
    steps: [
      [plan("lib:1"), []],
      [{ kind: "manual", on: false }, ["start lib:1"]],
    ],
    end: "lib running",
  },
  {
    name: "a function that leaves the configuration is cancelled and forgotten",
    steps: [
      [plan("lib:1", "old:1"), ["start lib:1", "start old:1"]],
      [plan("lib:1"), ["cancel old:1 gone"]],
      [finish("old:1 cancelled"), []],
    ],
    end: "lib running",
  },
  {
    name: "stopping cancels what runs and starts nothing more",
    jobs: 1,
    steps: [
      [plan("a:1", "b:1"), ["start a:1"]],
      [stop, ["cancel a:1 stop"]],
      [finish("a:1 cancelled"), []],
    ],
    end: "a stopped, b stopped",
  },
  {
    name: "stopping while a cancelled run is on its way out waits for it",
    steps: [
      [plan("a:1"), ["start a:1"]],
      [plan("a:2"), ["cancel a:1 stale"]],
      [stop, []],
      [finish("a:1 cancelled"), []],
    ],
    end: "a stopped",
  },
  {
    name: "a timeout is a failure",
    steps: [
      [plan("a:1", "b<a:1"), ["start a:1"]],
      [finish("a:1 timed-out"), ["blocked b by a"]],
    ],
    end: "a failed, b blocked",
  },
];

describe("the loop's machine", () => {
  test.each(cases)("$name", ({ jobs = 4, failFast, manual, steps, end }) => {
    let state = initialState({ limits: limitsOf({ jobs, limits: { cpus: 100 } }), failFast, manual });
    for (const [event, effects] of steps) {
      const step = reduce(state, event);
      expect(ofFunctions(step.effects).map(short)).toEqual(effects);
      state = step.state;
    }
    const shown = state.functions.map((fn) => `${fn.name} ${fn.phase === "idle" ? fn.verdict : fn.phase}`);
    expect(shown.join(", ")).toBe(end);
  });
});

test.each([
  [1, {}, 1],
  [2, {}, 1],
  [16, {}, 10],
  [16, { limits: { containers: 4 } }, 4],
  [2, { jobs: 6 }, 6],
])("on %d CPUs with %j so many functions run at a time: %d", (cpus, declared, jobs) => {
  expect(limitsOf(declared, cpus).jobs).toBe(jobs);
});

/**
 * Random edits, results and orders against a model of running calls: never two runs of one function, never more than
 * the jobs, never a run before its needs, no result of old files called current, and in the end everything settles.
 */
test("holds its promises in random histories", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed);
    const names = ["a", "b", "c", "d", "e"];
    const needs: Record<string, string[]> = { a: [], b: ["a"], c: ["a"], d: ["b", "c"], e: [] };
    const jobs = 1 + random(3);
    const gigabytes: Record<string, number> = { a: 1, b: 2, c: 2, d: 9, e: 3 };
    const running = new Map<string, string>();
    const files: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
    const passed = new Set<string>();
    let state: LoopState = initialState({ limits: limitsOf({ jobs, limits: { memory: "4GB" } }) });
    const digest = (name: string): string => [name, ...needs[name]!].map((part) => files[part]).join("");
    const send = (event: LoopEvent): void => {
      const step = reduce(state, event);
      state = step.state;
      for (const effect of step.effects) {
        if (effect.kind !== "start") continue;
        expect(running.has(effect.name), `seed ${seed}: ${effect.name} runs twice`).toBe(false);
        running.set(effect.name, effect.digest);
        expect(running.size, `seed ${seed}`).toBeLessThanOrEqual(jobs);
        const used = [...running.keys()].reduce((sum, name) => sum + gigabytes[name]!, 0);
        if (running.size > 1) expect(used, `seed ${seed}: ${[...running.keys()].join()}`).toBeLessThanOrEqual(4);
        for (const need of needs[effect.name]!) {
          expect(
            state.functions.find((fn) => fn.name === need),
            `seed ${seed}: ${effect.name} before ${need}`,
          ).toMatchObject({ phase: "idle", verdict: "current" });
        }
      }
    };
    const look = (): void =>
      send({
        kind: "planned",
        functions: names.map((name) => ({
          name,
          needs: needs[name]!,
          policy: name === "c" ? "queue" : "restart",
          digest: digest(name),
          affected: !passed.has(`${name}:${digest(name)}`),
          reasons: [],
          forced: false,
          uses: resourcesOf({ containers: 1, memory: `${gigabytes[name]}GB` }),
        })),
      });
    const end = (name: string, outcome: "passed" | "failed"): void => {
      const started = running.get(name)!;
      running.delete(name);
      const cancelled = state.functions.find((fn) => fn.name === name)!.phase === "cancelling" && random(2) === 0;
      const fresh = started === digest(name);
      if (!cancelled && outcome === "passed" && fresh) passed.add(`${name}:${started}`);
      send({ kind: "finished", name, digest: started, outcome: cancelled ? "cancelled" : outcome, fresh });
    };
    look();
    for (let step = 0; step < 60; step++) {
      const action = random(4);
      if (action === 0) {
        files[names[random(names.length)]!] = random(3);
        send({ kind: "hinted" });
        look();
      } else {
        const name = [...running.keys()][random(Math.max(1, running.size))];
        if (name !== undefined) end(name, random(5) === 0 ? "failed" : "passed");
      }
      for (const fn of state.functions) {
        if (fn.verdict === "current")
          expect(passed.has(`${fn.name}:${digest(fn.name)}`), `seed ${seed}: ${fn.name} is not current`).toBe(true);
      }
    }
    look();
    for (let step = 0; step < 50 && running.size > 0; step++) {
      end([...running.keys()][0]!, "passed");
      look();
    }
    expect(isSettled(state), `seed ${seed}`).toBe(true);
  }
});

test("what an edit that is taken back makes current is told, what a run makes current is not", () => {
  let state = initialState({ limits: limitsOf({ jobs: 2 }) });
  const restored = (event: LoopEvent): string[] => {
    const before = state;
    ({ state } = reduce(before, event));
    return restoredBy(before, event, state).map((fn) => fn.name);
  };
  expect(restored(plan("lib:1", "api=1"))).toEqual([]);
  expect(restored(finish("lib:1 passed"))).toEqual([]);
  expect(restored(plan("lib:2", "api:2"))).toEqual([]);
  expect(restored(finish("lib:2 failed"))).toEqual([]);
  // One that failed, and one whose run is cancelled for it.
  expect(restored(plan("lib=1", "api=1"))).toEqual(["lib"]);
  expect(restored(finish("api:2 cancelled"))).toEqual(["api"]);
  expect(restored(plan("lib=1", "api=1"))).toEqual([]);
});
