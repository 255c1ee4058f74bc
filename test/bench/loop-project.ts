import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** A project with one check: a trivial container command on a tree of so many files. */
export interface LoopProject {
  root: string;
  /** The module's source. */
  module: string;
  /** What the check prints: saving it is the edit. */
  edited: string;
  /** The folder that the check mounts. */
  tree: string;
}

export const image = "debian:bookworm-slim";
export const script = "cat f0.txt";

const filesPerFolder = 100;

const moduleSource = `import { argument, check, dag, func, object, type Directory } from "@dagger.io/dagger";

@object()
export class Loop {
  /** Prints the edited file from inside a container. */
  @func()
  @check()
  async look(@argument({ defaultPath: "/tree" }) source: Directory): Promise<string> {
    return dag
      .container()
      .from("${image}")
      .withMountedDirectory("/src", source)
      .withWorkdir("/src")
      .withExec(["sh", "-c", "${script}"])
      .stdout();
  }
}
`;

export async function makeLoopProject(root: string, files: number): Promise<LoopProject> {
  const tree = path.join(root, "tree");
  const fixed: Record<string, string> = {
    "dagger.json": JSON.stringify({
      name: "loop",
      engineVersion: "v0.21.4",
      sdk: { source: "typescript" },
      source: "pipelines",
    }),
    "pipelines/package.json": JSON.stringify({
      type: "module",
      // What a Dagger engine runs without installing anything first.
      dependencies: { typescript: "5.9.3" },
      dagger: { runtime: "bun" },
    }),
    "pipelines/src/index.ts": moduleSource,
  };
  for (const [name, text] of Object.entries(fixed)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  await makeTree(tree, files);
  return { root, module: path.join(root, "pipelines/src/index.ts"), tree, edited: path.join(tree, "f0.txt") };
}

/** A folder of so many small files, `f0.txt` at its top, the others in folders of a hundred. */
export async function makeTree(tree: string, files: number): Promise<void> {
  await mkdir(tree, { recursive: true });
  await writeFile(path.join(tree, "f0.txt"), "start");
  for (let file = 1; file < files; file++) {
    const folder = path.join(tree, `d${Math.floor(file / filesPerFolder)}`);
    if (file === 1 || file % filesPerFolder === 0) await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, `f${file}.txt`), `file ${file}\n`.repeat(20));
  }
}
