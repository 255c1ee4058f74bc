import { chmod, lstat, mkdir, readFile, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client, Container, ContainerWithExecOpts, Directory } from "@dagger.io/dagger";
import { baseImage, type CaseContext } from "./case.ts";

export const base = (dag: Client): Container => dag.container().from(baseImage);
export const sh = (container: Container, script: string, options?: ContainerWithExecOpts): Container =>
  container.withExec(["sh", "-c", script], options);
export const out = (container: Container, script: string, options?: ContainerWithExecOpts): Promise<string> =>
  sh(container, script, options).stdout();
export const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

/** A directory of these files; `null` is an empty folder, `-> x` a link. */
export function made(dag: Client, tree: Record<string, string | null>): Directory {
  return Object.entries(tree).reduce((directory, [name, contents]) => {
    if (contents === null) return directory.withNewDirectory(name);
    if (contents.startsWith("-> ")) return directory.withSymlink(contents.slice(3), name);
    return directory.withNewFile(name, contents);
  }, dag.directory());
}

export type Plant = string | null | { mode: number; text?: string };

/** Writes such a tree into a folder of the host. A mode without text is a folder's. */
export async function plant(folder: string, tree: Record<string, Plant>): Promise<void> {
  for (const [name, entry] of Object.entries(tree)) {
    const at = path.join(folder, name);
    for (let parent = path.dirname(name); parent !== "."; parent = path.dirname(parent)) {
      const isNew = (await mkdir(path.join(folder, parent), { recursive: true })) !== undefined;
      if (isNew) await chmod(path.join(folder, parent), 0o755);
    }
    if (entry === null) await mkdir(at, { recursive: true }).then(() => chmod(at, 0o755));
    else if (typeof entry === "string" && entry.startsWith("-> ")) await symlink(entry.slice(3), at);
    else if (typeof entry === "string") await writeFile(at, entry).then(() => chmod(at, 0o644));
    else {
      if (entry.text === undefined) await mkdir(at, { recursive: true });
      else await writeFile(at, entry.text);
      await chmod(at, entry.mode);
    }
  }
}

/** A host directory with this content. */
export async function host(
  { dag, folder, relativeFolder }: CaseContext,
  tree: Record<string, Plant>,
  below = "h",
): Promise<Directory> {
  await mkdir(path.join(folder, below));
  await chmod(path.join(folder, below), 0o755);
  await plant(path.join(folder, below), tree);
  return dag.host().directory(path.join(relativeFolder, below));
}

/** What is below a folder of the host: type, mode, name, and where a link leads or what a file holds. */
export async function survey(folder: string, modes = true, below = ""): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(path.join(folder, below))).toSorted()) {
    const relative = path.join(below, name);
    const at = path.join(folder, relative);
    const stat = await lstat(at);
    const mode = modes ? ` ${(stat.mode & 0o7777).toString(8)}` : "";
    if (stat.isSymbolicLink()) found.push(`l ${relative} -> ${await readlink(at)}`);
    else if (stat.isDirectory()) found.push(`d${mode} ${relative}`, ...(await survey(folder, modes, relative)));
    else found.push(`f${mode} ${relative} = ${await readFile(at, "utf8")}`);
  }
  return found;
}

export const all = async (directory: Directory): Promise<string[]> => (await directory.glob("**")).toSorted();

/** `name mode uid:gid type` of all that is below a folder of a container. */
export const seen = async (container: Container, where = "/w"): Promise<string[]> =>
  lines(
    await out(
      container,
      `cd ${where} && find . -mindepth 1 | LC_ALL=C sort | while read -r f; do stat -c '%n %a %u:%g %F' "$f"; done`,
    ),
  );

/** The same of a directory, mounted so that nothing of it is changed on the way. */
export const seenIn = (dag: Client, directory: Directory): Promise<string[]> =>
  seen(base(dag).withMountedDirectory("/w", directory));

/** How something fails: class and code of the error, exit code, and what each expression finds in the message. */
export async function failure(promise: Promise<unknown>, ...words: RegExp[]): Promise<unknown> {
  try {
    const value = await promise;
    return { value: typeof value === "object" && value !== null && "_ctx" in value ? "an object" : value };
  } catch (error) {
    const { name, code, exitCode, message } = error as Error & { code?: string; exitCode?: number };
    if (process.env["FASTLOOP_TEST_MESSAGES"] !== undefined) console.log(`    ${message.slice(0, 700)}`);
    return {
      type: name,
      code,
      ...(exitCode === undefined ? {} : { exitCode }),
      says: words.map((expression) => expression.exec(message)?.[0] ?? null),
    };
  }
}

/** Answers side by side. */
export async function settle(questions: Record<string, Promise<unknown>>): Promise<Record<string, unknown>> {
  return Object.fromEntries(
    await Promise.all(Object.entries(questions).map(async ([name, answer]) => [name, await answer] as const)),
  );
}

/** How often commands ran: each adds its word to a file of a cache volume. */
export function counting({ dag, unique }: CaseContext): {
  run: (container: Container, word: string) => Promise<unknown>;
  counts: () => Promise<Record<string, number>>;
} {
  const volume = dag.cacheVolume(`count-${unique}`);
  const used = (container: Container): Container =>
    container.withEnvVariable("U", unique).withMountedCache("/count", volume);
  return {
    run: (container, word) => sh(used(container), `echo ${word} >> /count/n`).sync(),
    counts: async () => {
      const words = lines(await out(used(base(dag)).withEnvVariable("READ", unique), "cat /count/n"));
      const result: Record<string, number> = {};
      for (const word of words) result[word] = (result[word] ?? 0) + 1;
      return result;
    },
  };
}
