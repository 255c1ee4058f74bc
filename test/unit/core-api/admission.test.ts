import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Admission } from "../../../src/core-api/solve/admission.ts";

const none: Parameters<Admission["enter"]>[1] = { count: () => 0, take: () => undefined };

let admission: Admission;
/** Whether a service is on its way out. */
let roomComes = false;
let clock = 0;

beforeEach(() => {
  vi.useFakeTimers();
  roomComes = false;
  clock = 0;
  admission = new Admission(2, { isExec: (digest) => digest.startsWith("exec"), makeRoom: () => roomComes });
});

afterEach(() => vi.useRealTimers());

/** Names in the order in which they were let in. */
function asking(): { in: string[]; ask(name: string, starts?: typeof none, signal?: AbortSignal): Promise<void> } {
  const entered: string[] = [];
  return {
    in: entered,
    ask: (name, starts = none, signal = new AbortController().signal) =>
      admission.enter(signal, starts).then(() => void entered.push(name)),
  };
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const started = (digest: string, startedMs = (clock += 1)) => ({
  vertexes: [{ digest, name: "", cached: false, startedMs }],
  logs: [],
});
const ended = (digest: string, startedMs: number) => ({
  vertexes: [{ digest, name: "", cached: false, startedMs, completedMs: startedMs + 1 }],
  logs: [],
});

describe("a bound on containers", () => {
  it("lets in by order, each when one before has ended, and counts neither cached steps nor other vertexes", async () => {
    const { in: entered, ask } = asking();
    const solve = admission.follow();
    for (const name of ["a", "b", "c", "d"]) void ask(name);
    solve.update({
      vertexes: [{ digest: "exec-old", name: "", cached: true, startedMs: 1, completedMs: 1 }],
      logs: [],
    });
    solve.update(ended("copy", 1));
    await settled();
    expect(entered).toEqual(["a", "b"]);
    solve.update(started("exec-a", 5));
    solve.update(ended("exec-a", 5));
    await settled();
    expect(entered).toEqual(["a", "b", "c"]);
    // The same run, told once more by another solve that has it.
    admission.follow().update(ended("exec-a", 5));
    await settled();
    expect(entered).toEqual(["a", "b", "c"]);
    solve.update(ended("exec-b", 6));
    await settled();
    expect(entered).toEqual(["a", "b", "c", "d"]);
  });

  it("lets in a command with the services that it starts as one, and behind it nobody who is smaller", async () => {
    const { in: entered, ask } = asking();
    const solve = admission.follow();
    void ask("a");
    let gone = (): void => undefined;
    void ask("with service", { count: () => 1, take: () => (gone = admission.service()) });
    void ask("c");
    await settled();
    expect(entered).toEqual(["a"]);
    solve.update(ended("exec-a", 1));
    await settled();
    expect(entered).toEqual(["a", "with service"]);
    solve.update(ended("exec-b", 2));
    gone();
    await settled();
    expect(entered).toEqual(["a", "with service", "c"]);
  });

  it("lets in what takes too much when nothing else runs, but waits for services that are about to go", async () => {
    const { in: entered, ask } = asking();
    const gone = [admission.service(), admission.service()];
    roomComes = true;
    void ask("large", { count: () => 4, take: () => undefined });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(entered).toEqual([]);
    for (const end of gone) end();
    roomComes = false;
    admission.idle();
    await settled();
    expect(entered).toEqual(["large"]);
  });

  it("goes on beside services that stay", async () => {
    const { in: entered, ask } = asking();
    admission.service();
    admission.service();
    void ask("a");
    await settled();
    expect(entered).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(entered).toEqual(["a"]);
  });

  it("forgets who left while it waited, and takes its end for nobody else's", async () => {
    const { in: entered, ask } = asking();
    const solve = admission.follow();
    const aborter = new AbortController();
    void ask("a");
    void ask("b");
    const leaving = ask("c", none, aborter.signal);
    leaving.catch(() => undefined);
    void ask("d");
    aborter.abort(new Error("canceled"));
    await expect(leaving).rejects.toThrow("canceled");
    solve.update(ended("exec-c", 3));
    await settled();
    expect(entered).toEqual(["a", "b"]);
    solve.update(ended("exec-a", 1));
    await settled();
    expect(entered).toEqual(["a", "b", "d"]);
  });

  it("does not wait for ends that are never told", async () => {
    const { in: entered, ask } = asking();
    const solve = admission.follow();
    void ask("a");
    void ask("b");
    solve.update(started("exec-a"));
    solve.update(started("exec-b"));
    void ask("c");
    solve.end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(entered).toEqual(["a", "b", "c"]);
  });

  it("holds nobody where none is declared", async () => {
    admission = new Admission(undefined, { isExec: () => true, makeRoom: () => false });
    const { in: entered, ask } = asking();
    for (let count = 0; count < 20; count++) void ask(`${count}`);
    await settled();
    expect(entered).toHaveLength(20);
  });
});
