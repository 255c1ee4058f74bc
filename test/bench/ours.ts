import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Mark } from "./marks.ts";
import { cliCommand } from "./cli.ts";
import type { Tool } from "./peers.ts";
import { noticeOf } from "./json-lines.ts";
import { RunningProgram } from "./process.ts";
import { libraryOf, packageDir, packageName, type Workspace } from "./workspace.ts";

const firstPassMs = 600_000;

/** The function of the generated module: like a peer's task, its first act takes the time, then it reads the probe. */
const moduleSource = `import { func, object, type Directory } from "@dagger.io/dagger";

@object()
export class Bench {
  /** Says when it began and what it read. */
  @func()
  async build(name: string, source: Directory, library: Directory): Promise<string> {
    const startedAtMs = performance.timeOrigin + performance.now();
    await library.entries();
    return \`bench-mark \${name} \${startedAtMs} \${await source.file("src/probe.txt").contents()}\`;
  }
}
`;

function configText(workspace: Workspace): string {
  const targets = Array.from({ length: workspace.packages }, (_, index) => {
    const library = libraryOf(index);
    const needs = library === index ? "" : `\n      needs: [${packageName(library)}]`;
    const call = `build --name ${packageName(index)} --source ${packageDir(index)} --library ${packageDir(library)}`;
    return `    ${packageName(index)}:\n      call: ${call}${needs}\n`;
  });
  // What the peers write beside the sources would be sent with every call, and count.
  const ignore = `  ignore: ["**/.turbo", "**/.wireit", "**/.nx"]\n`;
  return `version: 1\nname: bench\nwatch:\n${ignore}  targets:\n${targets.join("")}`;
}

/** Adds our module and configuration to the workspace, beside the peers'. */
export async function addOurSide(workspace: Workspace): Promise<void> {
  const files: Record<string, string> = {
    "dagger.json": JSON.stringify({
      name: "bench",
      engineVersion: "v0.21.4",
      sdk: { source: "typescript" },
      source: "pipelines",
    }),
    "pipelines/src/index.ts": moduleSource,
    "pipelines/package.json": JSON.stringify({ type: "module" }),
    "fastloop.yaml": configText(workspace),
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(workspace.root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

function mark(line: string): Mark | undefined {
  const found = /bench-mark (pkg-\d+) ([\d.]+) ([\w-]+)/.exec(line);
  if (found === null) return undefined;
  const [, name = "", atMs = "0", content = ""] = found;
  return { package: name, atMs: Number(atMs), content };
}

const settled = (line: string): boolean => noticeOf(line)?.event === "settled";

export const ours: Tool = {
  name: "fastloop",
  prepare: async (workspace) => {
    const watch = new RunningProgram(cliCommand(workspace.root, "watch", "--json", "--engine", "embedded"));
    try {
      await watch.waitFor(settled, firstPassMs);
    } finally {
      await watch.stop();
    }
  },
  watch: {
    command: (workspace) => cliCommand(workspace.root, "watch", "--json", "--engine", "embedded"),
    readiness: () => settled,
    announces: (line, index) => {
      const notice = noticeOf(line);
      return notice?.event === "started" && notice.name === packageName(index);
    },
    runsEverything: false,
    mark,
  },
  plan: (workspace) => cliCommand(workspace.root, "plan", "--json"),
  noop: (workspace) => cliCommand(workspace.root, "run", "--engine", "embedded"),
  affected: (workspace) => cliCommand(workspace.root, "affected", "--since", "HEAD", "--json"),
};
