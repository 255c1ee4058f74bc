import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LoopProject } from "./loop-project.ts";
import { TerminalProcess } from "./terminal-process.ts";

let project: LoopProject;
let terminal: TerminalProcess | undefined;
beforeEach(() => void (project = new LoopProject()));
afterEach(async () => {
  await terminal?.remove();
  await project.remove();
});

describe("fastloop run on a terminal", () => {
  test("shows what runs, in which step, and what waits for it; then only what came of it", async () => {
    project.write("lib/a.txt", "slow\n");
    terminal = new TerminalProcess(project.root, ["run", "api", "--timeout", "8s"]);
    await terminal.shows(/▶ lib {2}[1-9]\d* s {2}exec sh -c cat lib\/\*[^]*○ api {2}waits for lib/);
    const end = await terminal.end();
    expect(end).toMatch(
      /timed out lib .*\n[^]*blocked {3}api {2}lib has not passed\n1 timed out, 1 blocked in [\d.]+ s\nended with 4\n/,
    );
    expect(end).not.toContain("▶");
    expect(terminal.terminal.isCursorVisible).toBe(true);
  });
});
