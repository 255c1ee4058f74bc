import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runToEnd, type Command } from "./process.ts";
import type { Mark } from "./marks.ts";
import { packageName, taskOfAll, type Workspace } from "./workspace.ts";

/**
 * A tool under measurement, ours or a peer. All work on the same workspace, each with its own cache; what a tool has
 * no command for is absent and shows as an empty cell, never as a zero.
 */
export interface Tool {
  name: string;
  /** Brings every package's task up to date, so that what is measured next has nothing to do. */
  prepare(workspace: Workspace): Promise<void>;
  watch: {
    command(workspace: Workspace): Command;
    /** A new test per start: true for the line with which the tool has taken up its watch and its first pass is over. */
    readiness(workspace: Workspace): (line: string) => boolean;
    /** True for the line that says that the run of the package (or of everything) begins; absent where none is printed. */
    announces?(line: string, packageIndex: number): boolean;
    /** One run for everything: the tool knows of no packages. */
    runsEverything: boolean;
    /** What a task saw and when it began, out of a printed line: for tasks that can't write mark files. */
    mark?(line: string): Mark | undefined;
  };
  /** The whole tool run with nothing changed: it must find that out and run nothing. */
  noop?(workspace: Workspace): Command;
  /** What would run, without running it. */
  plan?(workspace: Workspace): Command;
  /** Which packages an uncommitted edit affects. */
  affected?(workspace: Workspace): Command;
  /** Ends what the tool left running (a daemon). */
  finish?(workspace: Workspace): Promise<void>;
}

const versions = { wireit: "0.14.13", turbo: "2.11.11", nx: "24.0.6", "chokidar-cli": "3.0.0", nodemon: "3.1.14" };

const quiet = {
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
  NX_NO_CLOUD: "true",
  NX_DAEMON: "true",
  NX_TUI: "false",
  WIREIT_LOGGER: "simple",
  NO_UPDATE_NOTIFIER: "1",
};

/** Installs the pinned peers once into a folder of the system's temporary folder; gives that folder. */
export async function installPeers(note: (text: string) => void): Promise<string> {
  const manifest = JSON.stringify({ private: true, dependencies: versions });
  const digest = createHash("sha256").update(manifest).digest("hex").slice(0, 12);
  const folder = path.join(tmpdir(), `fastloop-bench-peers-${digest}`);
  if (existsSync(path.join(folder, "installed"))) return folder;
  note(
    `installing the peers into ${folder}: ${Object.entries(versions)
      .map((pair) => pair.join("@"))
      .join(", ")}`,
  );
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "package.json"), manifest);
  await runToEnd({ file: "npm", args: ["install", "--no-audit", "--no-fund"], cwd: folder });
  await writeFile(path.join(folder, "installed"), "");
  return folder;
}

/**
 * Makes the peers' programs reachable from the workspace, as an install there would. The folder itself is no link: a module
 * whose packages lie outside of its repository is not run.
 */
export async function linkPeers(folder: string, workspace: Workspace): Promise<void> {
  const links = path.join(workspace.root, "node_modules");
  if (existsSync(links)) return;
  await mkdir(links);
  const packages = path.join(folder, "node_modules");
  for (const name of await readdir(packages)) await symlink(path.join(packages, name), path.join(links, name));
}

const program = (workspace: Workspace, name: string, ...args: string[]): Command => ({
  file: path.join(workspace.root, "node_modules/.bin", name),
  args,
  cwd: workspace.root,
  env: quiet,
});

const npm = (workspace: Workspace, ...args: string[]): Command => ({
  file: "npm",
  args,
  cwd: workspace.root,
  env: quiet,
});

const turbo: Tool = {
  name: "turbo",
  prepare: async (workspace) => void (await runToEnd(program(workspace, "turbo", "run", "build"))),
  watch: {
    command: (workspace) => program(workspace, "turbo", "watch", "build"),
    // It prints no line of its own for that: its first pass has named every package.
    readiness: (workspace) => {
      const seen = new Set<string>();
      return (line) => {
        const name = /^(pkg-\d+):build: cache /.exec(line)?.[1];
        if (name !== undefined) seen.add(name);
        return seen.size === workspace.packages;
      };
    },
    announces: (line, index) => line.startsWith(`${packageName(index)}:build: cache miss, executing`),
    runsEverything: false,
  },
  noop: (workspace) => program(workspace, "turbo", "run", "build"),
  plan: (workspace) => program(workspace, "turbo", "run", "build", "--dry=json"),
  affected: (workspace) => program(workspace, "turbo", "query", "affected", "--base", "HEAD"),
};

const nx: Tool = {
  name: "nx",
  prepare: async (workspace) => void (await runToEnd(program(workspace, "nx", "run-many", "-t", "build"))),
  watch: {
    command: (workspace) =>
      program(workspace, "nx", "watch", "--all", "--verbose", "--", "node_modules/.bin/nx run $NX_PROJECT_NAME:build"),
    readiness: () => (line) => line.includes("watch process waiting"),
    announces: (line, index) => line.includes("about to run commands") && line.includes(packageName(index)),
    runsEverything: false,
  },
  noop: (workspace) => program(workspace, "nx", "run-many", "-t", "build"),
  affected: (workspace) => program(workspace, "nx", "show", "projects", "--affected", "--base=HEAD"),
  finish: async (workspace) => void (await runToEnd(program(workspace, "nx", "daemon", "--stop"))),
};

const wireit: Tool = {
  name: "wireit",
  prepare: async (workspace) => void (await runToEnd(npm(workspace, "run", "-s", "build-wireit"))),
  watch: {
    command: (workspace) => npm(workspace, "run", "-s", "build-wireit", "--watch"),
    readiness: () => (line) => line.includes("Watching for file changes"),
    announces: (line, index) => line.includes(`${packageName(index)}:build-wireit] Running`),
    runsEverything: false,
  },
  noop: (workspace) => npm(workspace, "run", "-s", "build-wireit"),
};

const nothing = async (): Promise<void> => {};

const chokidarCli: Tool = {
  name: "chokidar-cli",
  prepare: nothing,
  watch: {
    command: (workspace) => program(workspace, "chokidar", "packages/**", "-c", taskOfAll(workspace)),
    readiness: () => (line) => line.startsWith("Watching"),
    runsEverything: true,
  },
};

const nodemon: Tool = {
  name: "nodemon",
  prepare: nothing,
  watch: {
    command: (workspace) =>
      program(
        workspace,
        "nodemon",
        "--verbose",
        "--watch",
        "packages",
        "-e",
        "ts,txt,json",
        "--exec",
        taskOfAll(workspace),
      ),
    readiness: () => (line) => /watching \d+ files?/.test(line),
    announces: (line) => line.includes("starting `"),
    runsEverything: true,
  },
};

export const peers: readonly Tool[] = [wireit, turbo, nx, chokidarCli, nodemon];
export const peerVersions: Readonly<Record<string, string>> = versions;
