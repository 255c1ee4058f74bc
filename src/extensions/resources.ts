/** Decides whether one more function may start, beyond what the functions declare. */
import { setTimeout as sleep } from "node:timers/promises";
import { exceededBy, sumOfResources, type Resources } from "../plan/index.ts";
import { withinComputeTime } from "./compute-time.ts";
import type { ExtensionPoint } from "./load.ts";
import type { ResourceMonitor } from "./types.ts";

/** Interval at which a waiting function asks again. */
const askAgainMs = 500;
/** Nothing else happens while a monitor computes. */
const computeMs = 2000;

/** Counts what running functions declare, and keeps the sum within `engine.limits`. */
export const simpleMonitor: ResourceMonitor = {
  name: "simple",
  currentUsage: sumOfResources,
  canAllocate: (request, usage, limits) => exceededBy(limits, usage, request) === undefined,
};

export const resourcesPoint: ExtensionPoint<ResourceMonitor> = {
  key: "resources",
  builtIn: { simple: () => simpleMonitor, cgroup: async () => (await import("./cgroup.ts")).cgroupMonitor() },
  methods: ["currentUsage", "canAllocate"],
};

export interface Request {
  uses: Resources;
  limits: Resources;
  signal: AbortSignal;
  /** Called once if the function has to wait. */
  onWait(): void;
}

/** Lets functions start in order of arrival when the monitor has room; a function may always run alone. */
export class Allocation {
  private readonly onNotice: (text: string) => void;
  private readonly running = new Set<Resources>();
  private turn: Promise<void> = Promise.resolve();
  private monitor: ResourceMonitor | undefined;

  constructor(onNotice: (text: string) => void) {
    this.onNotice = onNotice;
  }

  /** Sets the monitor; undefined for none, so that only the declared limits count. */
  use(monitor: ResourceMonitor | undefined): void {
    this.monitor = monitor;
  }

  /** Resolves with the function that releases the room when the caller may start. Rejects with the signal's reason. */
  async allocate(request: Request): Promise<() => void> {
    const before = this.turn;
    let done = (): void => undefined;
    this.turn = new Promise((resolve) => (done = resolve));
    try {
      await before;
      let isTold = false;
      while (!(await this.hasRoom(request))) {
        if (!isTold) request.onWait();
        isTold = true;
        await sleep(askAgainMs, undefined, { signal: request.signal });
      }
      request.signal.throwIfAborted();
    } catch (error) {
      throw request.signal.aborted ? request.signal.reason : error;
    } finally {
      done();
    }
    const uses = { ...request.uses };
    this.running.add(uses);
    return () => void this.running.delete(uses);
  }

  /** A monitor that throws or does not return a boolean is not used again. */
  private async hasRoom({ uses, limits }: Request): Promise<boolean> {
    const { monitor } = this;
    if (monitor === undefined || this.running.size === 0) return true;
    try {
      const usage = await withinComputeTime(() => monitor.currentUsage([...this.running]), computeMs);
      const answer: unknown = await withinComputeTime(() => monitor.canAllocate(uses, usage, limits), computeMs);
      if (typeof answer !== "boolean") throw new TypeError("canAllocate() gave no boolean");
      return answer;
    } catch (error) {
      this.monitor = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      this.onNotice(`the resource monitor "${monitor.name}" is not used any more: it failed (${reason})`);
      return true;
    }
  }
}
