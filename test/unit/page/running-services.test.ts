/** Services of another command on the page of a watch. */
import { expect, test, vi } from "vitest";
import { RunningServices } from "../../../src/page/sources/running-services.ts";
import type { ServiceStatus } from "../../../src/services/index.ts";

const service = (name: string, more: Partial<ServiceStatus> = {}): ServiceStatus => ({
  name,
  phase: "healthy",
  needs: [],
  ports: [],
  since: new Date().toISOString(),
  ...more,
});

test("have ids of their own, and are restarted by their names", async () => {
  const restarted: (readonly string[])[] = [];
  const shown = vi.fn();
  const statuses = [service("db"), service("api", { needs: ["db"], phase: "failed", reason: "why\n\u001b[2Jmore" })];
  const beside = new RunningServices(
    { statuses: async () => statuses, restart: async (names) => void restarted.push(names) },
    shown,
  );
  await vi.waitFor(() => expect(shown).toHaveBeenCalled());
  const [, api] = beside.nodes();
  expect(api).toMatchObject({ kind: "service", name: "api", needs: ["service db"], tone: "bad", can: ["restart"] });
  expect(beside.details(api!.id)?.why?.causes[0]).toContain("why\n");
  expect(beside.details(api!.id)?.why?.causes[0]).not.toContain("\u001b");
  expect(beside.details("api")).toBeUndefined();
  await beside.restart([api!.id]);
  expect(restarted).toEqual([["api"]]);
  // A function of that name is none of them, and nothing is not all.
  expect(() => beside.restart(["api"])).toThrow("services restart");
  expect(() => beside.restart([])).toThrow("services restart");
  beside.close();
});

test("that can't be asked are none", async () => {
  const shown = vi.fn();
  const gone = async (): Promise<never> => {
    throw new Error("gone");
  };
  const none = new RunningServices({ statuses: gone, restart: async () => undefined }, shown);
  await vi.waitFor(() => expect(shown).toHaveBeenCalled());
  expect(none.nodes()).toEqual([]);
  none.close();
});

test("are shown again when one of them is another than before, and not else", async () => {
  vi.useFakeTimers();
  try {
    const shown = vi.fn();
    let phase: ServiceStatus["phase"] = "healthy";
    const since = new Date().toISOString();
    const statuses = vi.fn(async () => [service("db", { phase, since })]);
    const beside = new RunningServices({ statuses, restart: async () => undefined }, shown);
    await vi.advanceTimersByTimeAsync(7_000);
    expect([statuses.mock.calls.length, shown.mock.calls.length]).toEqual([4, 1]);
    phase = "failed";
    await vi.advanceTimersByTimeAsync(4_000);
    expect([shown.mock.calls.length, beside.nodes()[0]?.tone]).toEqual([2, "bad"]);
    beside.close();
  } finally {
    vi.useRealTimers();
  }
});
