/** A program on a real pseudo-terminal, by `script` of util-linux: what it shows, and keys for it. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { TerminalModel } from "../unit/report/terminal-model.ts";
import { cliFile } from "./cli-process.ts";

let counter = 0;
/** What has not come until then will not come; the error shows what did. */
const patienceMs = 60_000;

export class TerminalProcess {
  readonly terminal: TerminalModel;
  private readonly script: ChildProcess;
  private readonly ttyFile = path.join(tmpdir(), `fastloop-tty-${process.pid}-${counter++}`);
  private readonly ended: Promise<unknown>;
  private waiters: (() => void)[] = [];
  private hasEnded = false;

  /** `fastloop WORDS` in a shell, which says at the end how it ended and what became of the terminal. */
  constructor(cwd: string, words: readonly string[], { columns, rows } = { columns: 100, rows: 24 }) {
    this.terminal = new TerminalModel(columns, rows);
    const command = [process.execPath, cliFile, ...words].map((word) => `'${word}'`).join(" ");
    const line = `stty cols ${columns} rows ${rows}; tty > ${this.ttyFile}; ${command}; echo "ended with $?"; stty -a | grep -oE -- '-?(icanon|echo)\\b'; echo bye`;
    this.script = spawn("script", ["-qfec", line, "/dev/null"], {
      cwd,
      env: { ...process.env, TERM: "xterm-256color", NO_COLOR: "1", SHELL: "/bin/sh" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.ended = once(this.script, "close").then(() => {
      this.hasEnded = true;
      this.wake();
    });
    this.script.stdin!.on("error", () => undefined);
    this.script.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.terminal.write(text.replaceAll("\r\n", "\n"));
      this.wake();
    });
  }

  /** Waits until the screen holds the text or matches. */
  async shows(wanted: string | RegExp): Promise<string> {
    const timer = setTimeout(() => this.wake(), patienceMs);
    for (const startedMs = performance.now(); ;) {
      const screen = this.terminal.screen.join("\n");
      if (typeof wanted === "string" ? screen.includes(wanted) : wanted.test(screen)) {
        clearTimeout(timer);
        return screen;
      }
      if (this.hasEnded || performance.now() - startedMs >= patienceMs) {
        clearTimeout(timer);
        throw new Error(`the terminal did not show ${String(wanted)} but:\n${screen}`);
      }
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  press(keys: string): void {
    this.script.stdin!.write(keys);
  }

  resize(columns: number, rows: number): void {
    Object.assign(this.terminal, { columns, rows });
    execFileSync("stty", [
      "-F",
      readFileSync(this.ttyFile, "utf8").trim(),
      "cols",
      String(columns),
      "rows",
      String(rows),
    ]);
  }

  /** Takes the terminal away, as closing its window does. */
  async hangUp(): Promise<void> {
    this.script.kill("SIGKILL");
    await this.ended;
  }

  /** What is on the screen after all has ended. */
  async end(): Promise<string> {
    await this.ended;
    return this.terminal.screen.join("\n");
  }

  async remove(): Promise<void> {
    await this.hangUp();
    rmSync(this.ttyFile, { force: true });
  }

  private wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
