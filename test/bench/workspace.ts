import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

/**
 * One generated workspace that every tool sees: packages in groups of ten, of which the first is a library that the
 * nine others use. A package's task appends `<ns since epoch> <content of src/probe.txt>` to its mark file outside the
 * workspace, so a mark says when the task's own first act was, and which content it saw.
 */
export interface WorkspaceShape {
  packages: number;
  files: number;
}

export interface Workspace extends WorkspaceShape {
  root: string;
  /** Folder of the mark files, one per package, outside the watched tree. */
  marks: string;
}

const groupSize = 10;
const filesPerFolder = 10;

export const packageName = (index: number): string => `pkg-${String(index).padStart(4, "0")}`;
export const packageDir = (index: number): string => `packages/${packageName(index)}`;
export const probeFile = (workspace: Workspace, index: number): string =>
  path.join(workspace.root, packageDir(index), "src/probe.txt");
export const markFile = (workspace: Workspace, index: number): string => path.join(workspace.marks, packageName(index));

/** Mark of the first act of a re-runner that runs everything. */
export const markOfAll = (workspace: Workspace): string => path.join(workspace.marks, "all");

/** Index of the library that package `index` uses; itself for a library. */
export const libraryOf = (index: number): number => index - (index % groupSize);

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Shell text of a package's task; run with the package's folder as working directory. */
const task = (workspace: Workspace, index: number): string =>
  `echo "$(date +%s%N) $(cat src/probe.txt)" >> ${markFile(workspace, index)}`;

/** All packages one after another, for a re-runner that knows of no packages; run in the workspace's root. */
export const taskOfAll = (workspace: Workspace): string =>
  `date +%s%N >> ${markOfAll(workspace)}; for d in packages/*; do echo "$(date +%s%N) $(cat $d/src/probe.txt)" >> ${workspace.marks}/\${d#packages/}; done`;

function packageJson(workspace: Workspace, index: number): string {
  const library = libraryOf(index);
  const uses = library === index ? [] : [packageName(library)];
  const command = task(workspace, index);
  return json({
    name: packageName(index),
    version: "1.0.0",
    private: true,
    scripts: { build: command, "build-wireit": "wireit" },
    ...(uses.length > 0 ? { dependencies: Object.fromEntries(uses.map((use) => [use, "1.0.0"])) } : {}),
    wireit: {
      "build-wireit": {
        command,
        files: ["package.json", "src/**"],
        output: [],
        dependencies: uses.map((use) => `../${use}:build-wireit`),
        packageLocks: [],
      },
    },
    nx: { targets: { build: { command, options: { cwd: packageDir(index) }, cache: true } } },
  });
}

/** Lock file of the workspace's own links: turbo and nx read it to know which package uses which. */
function lockFile(packages: readonly number[]): string {
  const root = { name: "bench-workspace", version: "1.0.0", workspaces: ["packages/*"] };
  const entries = packages.flatMap((index) => {
    const library = libraryOf(index);
    const uses = library === index ? {} : { dependencies: { [packageName(library)]: "1.0.0" } };
    return [
      [packageDir(index), { version: "1.0.0", ...uses }],
      [`node_modules/${packageName(index)}`, { resolved: packageDir(index), link: true }],
    ] as const;
  });
  return json({ ...root, lockfileVersion: 3, requires: true, packages: { "": root, ...Object.fromEntries(entries) } });
}

async function writePackage(workspace: Workspace, index: number, sources: number): Promise<void> {
  const dir = path.join(workspace.root, packageDir(index));
  const folders = Math.max(1, Math.ceil(sources / filesPerFolder));
  for (let folder = 0; folder < folders; folder++) await mkdir(path.join(dir, `src/d${folder}`), { recursive: true });
  await writeFile(path.join(dir, "package.json"), packageJson(workspace, index));
  await writeFile(path.join(dir, "src/probe.txt"), "start\n");
  for (let file = 0; file < sources; file++) {
    const text = `export const value = ${index * sources + file}; // ${"x".repeat(300)}\n`;
    await writeFile(path.join(dir, `src/d${Math.floor(file / filesPerFolder)}/f${file}.ts`), text);
  }
}

/** Writes the workspace for the peers under `base`; our own configuration comes from `fastloop-side.ts`. */
export async function makeWorkspace(base: string, shape: WorkspaceShape): Promise<Workspace> {
  const workspace = { ...shape, root: path.join(base, "workspace"), marks: path.join(base, "marks") };
  const indexes = Array.from({ length: shape.packages }, (_, index) => index);
  await mkdir(workspace.marks, { recursive: true });
  await mkdir(workspace.root, { recursive: true });
  const sources = Math.floor(shape.files / shape.packages) - 2;
  for (const index of indexes) await writePackage(workspace, index, sources);
  const all = indexes.map((index) => `./${packageDir(index)}:build-wireit`);
  const root = {
    "package.json": json({
      name: "bench-workspace",
      version: "1.0.0",
      private: true,
      packageManager: "npm@10.8.2",
      workspaces: ["packages/*"],
      scripts: { "build-wireit": "wireit" },
      wireit: { "build-wireit": { dependencies: all } },
    }),
    "package-lock.json": lockFile(indexes),
    "turbo.json": json({ tasks: { build: { dependsOn: ["^build"], outputs: [] } } }),
    "nx.json": json({
      targetDefaults: { build: { dependsOn: ["^build"], cache: true, inputs: ["{projectRoot}/**/*"] } },
      analytics: false,
      neverConnectToCloud: true,
    }),
    ".gitignore": "node_modules\n.turbo\n.nx\n.wireit\n.fastloop\n",
  };
  for (const [name, text] of Object.entries(root)) await writeFile(path.join(workspace.root, name), text);
  return workspace;
}
