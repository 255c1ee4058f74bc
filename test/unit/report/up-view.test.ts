/** The services at a terminal's end, while somebody works with them. */
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { openUpView } from "../../../src/report/terminal/up-view.ts";
import type { ServiceStatus } from "../../../src/services/index.ts";
import { TerminalModel } from "./terminal-model.ts";

const since = new Date().toISOString();
const service = (name: string, phase: ServiceStatus["phase"], more: Partial<ServiceStatus> = {}): ServiceStatus => ({
  name,
  phase,
  ports: [],
  needs: [],
  since,
  ...more,
});

/** A view on a terminal of 60 columns, and what its keys did. */
function viewOf(statuses: () => ServiceStatus[], hasKeys = true) {
  const terminal = new TerminalModel(60, 12);
  const output = Object.assign(new EventEmitter(), {
    columns: 60,
    rows: 12,
    write: (text: string) => terminal.write(text),
  });
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), { setRawMode: (isRaw: boolean) => modes.push(isRaw) });
  const done: string[] = [];
  const view = openUpView({
    output: output as never,
    input: hasKeys ? (input as never) : undefined,
    colors: false,
    verbose: false,
    statuses,
    restart: () => void done.push("restart"),
    switchAll: () => void done.push("switch"),
    quit: () => void done.push("quit"),
    openPage: () => void done.push("page"),
  });
  return { terminal, output, input, modes, done, view };
}

test("each service has a row: its phase, how long it took or takes, its places or what is wrong with it", () => {
  const { terminal, view } = viewOf(() => [
    service("db", "healthy", { startedInMs: 1200, ports: [{ host: 5432, container: 5432 }] }),
    service("api", "failed", { reason: "exit code 1\nand more" }),
    service("web", "healthy", { lastEdit: { action: "synced", tookMs: 38, at: new Date().toISOString() } }),
  ]);
  const shown = terminal.screen;
  expect(shown[0]).toMatch(/^─+$/);
  expect(shown[1]).toMatch(/^db {3}healthy +1\.2 s .*5432/);
  expect(shown[2]).toMatch(/^api {2}failed .*exit code 1$/);
  expect(shown[3]).toMatch(/^web {2}healthy .*synced in 38 ms, \d+ s ago$/);
  expect(shown[4]).toBe("r restart all  u page  q quit");
  view.close();
});

test("what happens scrolls by above, and is drawn again soon after", async () => {
  let phase: ServiceStatus["phase"] = "starting";
  const { terminal, view } = viewOf(() => [service("db", phase)], false);
  expect(terminal.screen.at(-1)).toBe("Ctrl-C ends");
  view.print("a line of somebody's");
  phase = "healthy";
  view.note({ kind: "notice", text: "noticed" });
  await vi.waitFor(() => expect(terminal.screen.join("\n")).toMatch(/^db +healthy/m), { timeout: 20_000 });
  expect(terminal.everything).toContain("a line of somebody's");
  expect(terminal.everything).toContain("noticed");
  view.close();
});

test("keys restart and quit, and the terminal is given back as it was", async () => {
  const { input, output, modes, done, view } = viewOf(() => [service("db", "healthy")]);
  expect(modes).toEqual([true]);
  input.write("rxulq");
  await vi.waitFor(() => expect(done).toEqual(["restart", "page", "switch", "quit"]));
  // A terminal that was closed is no reason to end.
  input.emit("error", new Error("EIO"));
  view.close();
  expect(modes).toEqual([true, false]);
  expect(output.listenerCount("resize")).toBe(0);
  input.write("q");
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual(["restart", "page", "switch", "quit"]);
});

test("another width draws everything anew", () => {
  const { terminal, output, view } = viewOf(() => [service("a-service-of-a-long-name", "healthy")]);
  expect(terminal.screen).toContain("─".repeat(60));
  output.columns = 20;
  output.emit("resize");
  expect(terminal.screen).toContain("─".repeat(20));
  // A row is cut, and says so.
  expect(terminal.screen.find((line) => line.startsWith("a-service"))?.trimEnd()).toMatch(/^.{1,19}…$/);
  view.close();
});
