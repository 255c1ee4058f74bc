import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LoopProject } from "./loop-project.ts";
import { TerminalProcess } from "./terminal-process.ts";

let project: LoopProject;
const terminals: TerminalProcess[] = [];
beforeEach(() => void (project = new LoopProject()));
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.remove();
  await project.remove();
});

function watch(...words: string[]): TerminalProcess {
  const terminal = new TerminalProcess(project.root, ["watch", ...words]);
  terminals.push(terminal);
  return terminal;
}

describe("fastloop watch on a terminal", () => {
  test("shows standing, cause and failure, follows the window, and gives the terminal back", async () => {
    const terminal = watch();
    await terminal.shows(/✓ current +lib[^]*✓ current +api[^]*✓ current +worker[^]* 3 current/);
    project.write("lib/a.txt", "broken\n");
    const failed = await terminal.shows(
      /✗ failed +lib +[0-9a-f]{8} +[\d.]+ m?s +\d\d:\d\d:\d\d +lib\/a\.txt changed[^]*○ blocked +api .* lib has not passed[^]*│ broken[^]*^ {2}log: /m,
    );
    const log = /^ {2}log: (\S+)$/m.exec(failed)![1]!;
    expect(readFileSync(project.at(log), "utf8")).toContain("broken");

    terminal.resize(60, 14);
    await terminal.shows(/│ broken[^]*q quit/);
    project.write("lib/a.txt", "slow\n");
    // In its command, when all files have arrived.
    await terminal.shows(/▶ running +lib .*exec /);
    project.write("lib/a.txt", "lib two\n");
    await terminal.shows(/✓ current +lib[^]*✓ current +api[^]* 3 current/);
    expect(terminal.terminal.everything).toMatch(/cancelled lib/);

    terminal.press("q");
    await terminal.shows("bye");
    const end = await terminal.end();
    expect(end).toMatch(/ended: 3 current\nended with 0\n(.*\n)*icanon\necho\n/);
    // The lines that only a watch keeps true are gone.
    expect(end).not.toMatch(/✓|q quit|stopping/);
    expect(terminal.terminal.isCursorVisible).toBe(true);
  });

  test("keys run all, rerun what failed, filter, and switch to manual mode and back", async () => {
    project.write("worker/a.txt", "broken\n");
    const terminal = watch();
    await terminal.shows(/✗ failed +worker[^]* 1 failed {2}2 current/);
    terminal.press("f");
    await terminal.shows(/✗ failed +worker.*the last run of this state failed/);
    terminal.press("/ap");
    await terminal.shows("filter: ap");
    terminal.press("\ra");
    await terminal.shows(/^✓ current +api .*asked for[^]* 1 current {2}only ap/m);
    terminal.press("\u001b");
    await terminal.shows(/ 1 failed {2}2 current/);
    terminal.press("m");
    await terminal.shows("manual mode");
    project.write("lib/a.txt", "lib two\n");
    await terminal.shows(/○ stale +lib .*lib\/a\.txt changed[^]*○ stale +api/);
    terminal.press("r");
    await terminal.shows(/✓ current +lib[^]*✓ current +api[^]* 1 failed {2}2 current {2}manual mode/);
    terminal.press("m");
    await terminal.shows("m manual");
    project.write("worker/a.txt", "worker two\n");
    await terminal.shows(" 3 current");
    terminal.press("a");
    await terminal.shows(/✓ current +lib .*asked for[^]*✓ current +api .*asked for[^]*✓ current +worker .*asked for/);
  });

  test("a broken configuration stands above the last results until it is mended", async () => {
    const terminal = watch();
    await terminal.shows(" 3 current");
    const configuration = readFileSync(project.at("fastloop.yaml"), "utf8");
    project.write("fastloop.yaml", configuration.replace("needs:", "neds:"));
    await terminal.shows(/✗ broken: fastloop\.yaml:\d+:\d+: unknown key `neds`[^]*✓ current +lib/);
    project.write("fastloop.yaml", configuration);
    await terminal.shows(/fixed +the project can be read again\n✓ current +lib/);
  });

  test("tells the desktop of a new failure and of its repair, where that is asked for", async () => {
    const bin = project.at("bin");
    const told = project.at("told");
    mkdirSync(bin);
    writeFileSync(path.join(bin, "notify-send"), `#!/bin/sh\necho "$2: $3" >> ${told}\n`);
    chmodSync(path.join(bin, "notify-send"), 0o755);
    const before = process.env["PATH"];
    process.env["PATH"] = `${bin}:${before}`;
    const terminal = watch("--notify");
    process.env["PATH"] = before;
    await terminal.shows(" 3 current");
    project.write("worker/a.txt", "broken\n");
    await terminal.shows(" 1 failed");
    project.write("worker/a.txt", "worker two\n");
    await terminal.shows(" 3 current");
    terminal.press("q");
    await terminal.shows("bye");
    expect(readFileSync(told, "utf8")).toBe("fastloop: failed: worker\nfastloop: fixed: everything is current\n");
  });
});
