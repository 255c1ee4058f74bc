/** A small project in a git repository, beside stand-ins for what is the user's, and the CLI on it. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fastloop, type CliResult } from "../e2e/cli-process.ts";

const moduleSource = `
import { check, func, object } from "@dagger.io/dagger"

@object()
export class Ci {
  @func({ cache: "never" }) @check()
  async ok(): Promise<string> { return "ok" }

  @func({ cache: "never" }) @check()
  async bad(): Promise<string> { throw new Error("the tests fail") }

  @func()
  async kept(): Promise<string> { return "kept " + Math.random() }
}
`;

/** Commands that only ask, each with its words. */
export const questions = [
  ["plan"],
  ["why", "ok"],
  ["graph"],
  ["affected"],
  ["watches"],
  ["validate"],
  ["functions"],
  ["call", "ok", "--help"],
  ["complete", "--", "run", ""],
  ["complete", "--", "call", ""],
] as const;

/** A stack of ours, or an error that Node printed by itself. A stack of the module's is its author's to see. */
export const bug = /fastloop has a bug|node:|\/dist\/(?:cli\/)?[\w-]+\.c?js|Error: E[A-Z]+:/;

export class HostileProject {
  readonly top = mkdtempSync(path.join(tmpdir(), "fastloop-hostile-"));
  readonly root: string;

  constructor() {
    this.root = path.join(this.top, "clone");
    this.write(
      "dagger.json",
      JSON.stringify({ name: "ci", engineVersion: "v0.21.4", sdk: "typescript", source: "ci" }),
    );
    this.write("ci/src/index.ts", moduleSource);
    this.write(
      "fastloop.yaml",
      "version: 1\nrecords: { keep: 1 }\nwatch:\n  targets:\n    ok: { call: ok }\n    bad: { call: bad }\n",
    );
    // Names that only we would give, as they may lie anywhere.
    const names = [
      "20200101T000000.000Z-ok-aaaaaa.json",
      "20200101T000000.000Z-ok-aaaaaa.log",
      "a".repeat(64),
      `${"a".repeat(64)}.json`,
      "hashes",
      "config.json",
      "lock",
      "site-v1.99999/index.html",
      "hashes.4194305.0.tmp",
    ];
    for (const folder of [".docker", ".ssh", "projects"]) {
      for (const name of names) {
        const file = path.join(this.top, "home", folder, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, "precious");
        const old = new Date(Date.now() - 7_200_000);
        execFileSync("touch", ["-d", old.toISOString(), file]);
      }
    }
    this.git("init", "-q");
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  git(...words: string[]): string {
    return execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always", ...words],
      { cwd: this.root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );
  }

  commit(): void {
    this.git("add", "-A", "-f");
    this.git("commit", "-qm", "x");
  }

  /** What somebody gets who clones it. */
  clone(): string {
    const folder = mkdtempSync(path.join(this.top, "fresh-"));
    this.git("clone", "-q", this.root, folder);
    return folder;
  }

  /** The same files at another place, history or not. */
  copy(): string {
    const folder = mkdtempSync(path.join(this.top, "copy-"));
    cpSync(this.root, folder, { recursive: true, verbatimSymlinks: true });
    return folder;
  }

  run(words: readonly string[], cwd = this.root, env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
    return fastloop(words, { cwd, env });
  }

  /** Everything of the user's: names and contents. */
  precious(): Record<string, string> {
    const home = path.join(this.top, "home");
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return Object.fromEntries(
      files
        .map((entry) => path.join(entry.parentPath, entry.name))
        .map((file) => [path.relative(home, file), readFileSync(file, "utf8")]),
    );
  }

  records(folder = this.root): string[] {
    return readdirSync(path.join(folder, ".fastloop/runs")).filter((name) => name.endsWith(".json"));
  }

  remove(): void {
    rmSync(this.top, { recursive: true, force: true });
  }
}
