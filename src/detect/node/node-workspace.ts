/** Finds which npm, pnpm and yarn packages form a workspace, and which have to be built for another one's tests. */
import { isCollection } from "yaml";
import { yamlDocument } from "../../text/index.ts";
import { folderOf, has, isPart, joined, jsonObject, memberMatcher, named, textsOf } from "../files.ts";
import { shellWord } from "../../text/index.ts";
import { dependenciesOf } from "./node-manager.ts";
import { testFiles } from "../programs.ts";
import { commandsOfJobs } from "../workflows.ts";
import type { ProjectFiles } from "../types.ts";

export interface NodePackage {
  folder: string;
  name: string;
  manifest: Record<string, unknown>;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
}

/** A package with its lock file, and the packages of its workspace. */
export interface Workspace {
  root: NodePackage;
  members: NodePackage[];
}

/** Returns the packages of a project, grouped by workspace. */
export function workspacesOf(files: ProjectFiles): Workspace[] {
  const packages = named(files, "package.json").map((file) => packageOf(files, folderOf(file)));
  const taken = new Set<string>();
  const found: Workspace[] = [];
  for (const root of packages) {
    if (taken.has(root.folder) || !isPart(root.folder)) continue;
    const patterns = workspacePatterns(files, root);
    const isMember = memberMatcher(patterns);
    const members = packages.filter((other) => {
      const place =
        root.folder === ""
          ? other.folder
          : other.folder.startsWith(`${root.folder}/`)
            ? other.folder.slice(root.folder.length + 1)
            : "";
      return other !== root && place !== "" && isMember(place);
    });
    for (const { folder } of members) taken.add(folder);
    found.push({ root, members });
  }
  return found;
}

function packageOf(files: ProjectFiles, folder: string): NodePackage {
  const manifest = jsonObject(files.read(joined(folder, "package.json")));
  return {
    folder,
    manifest,
    name: typeof manifest["name"] === "string" ? manifest["name"] : folder,
    scripts: textsOf(manifest["scripts"]),
    dependencies: dependenciesOf(manifest),
  };
}

/** Reads the patterns in package.json and pnpm-workspace.yaml; the managers ignore non-text entries too. */
function workspacePatterns(files: ProjectFiles, { folder, manifest }: NodePackage): string[] {
  const { workspaces } = manifest as { workspaces?: { packages?: unknown } };
  const pnpm: unknown = yamlDocument(files.read(joined(folder, "pnpm-workspace.yaml"))).get("packages");
  return [
    ...texts(Array.isArray(workspaces) ? workspaces : workspaces?.packages),
    ...texts(isCollection(pnpm) ? pnpm.toJSON() : undefined),
  ];
}

const texts = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((entry): entry is string => typeof entry === "string") : [];

/**
 * Returns the packages to build first: those whose build output tests import, and the package itself if its own tests
 * do.
 */
export function builds(
  files: ProjectFiles,
  packages: readonly NodePackage[],
  member: NodePackage,
  text: string,
): NodePackage[] {
  const needed = closure(packages, member).filter((each) => each !== member && isBuilt(files, each));
  const outputs = /(?:^|[\s"'=./])(dist|build|lib|out|esm|cjs)(?:\/|["'\s]|$)/;
  const reads = (source: string): boolean => {
    const output = outputs.exec(source)?.[1];
    return output !== undefined && !files.list.some((file) => file.startsWith(joined(member.folder, `${output}/`)));
  };
  const buildsItself = /\bbuild\b/.test(text);
  const imports = (source: string): boolean =>
    [...source.matchAll(/(?:from|require\(|import\()\s*["']([^"'\n]+)["']/g)].some(
      ([, from]) =>
        /^\.{1,2}\/(?:.*\/)?(?:dist|build|out)(?:\/|$)/.test(from ?? "") ||
        (from === member.name && isBuilt(files, member)),
    );
  const self =
    member.scripts["build"] !== undefined &&
    !buildsItself &&
    ((member.folder === "" && isBuiltBeforeTests(files)) ||
      reads(text) ||
      testFiles(files, member.folder).some((file) => imports(files.read(file))));
  return [...needed, ...(self ? [member] : [])];
}

/** Reports whether a CI job of the repository builds before it tests, since tests may read the build output. */
function isBuiltBeforeTests(files: ProjectFiles): boolean {
  const place = (job: string, script: string): number =>
    job.search(new RegExp(`\\b(?:npm run|pnpm(?: run)?|yarn(?: run)?|bun run|npm) ${script}(?=[\\s'"]|$)`, "m"));
  return commandsOfJobs(files).some((job) => {
    const [build, test] = [place(job, "build"), place(job, "test")];
    return build !== -1 && build < test;
  });
}

/** Reports whether a package's entry points are build output, which a checkout lacks. */
function isBuilt(files: ProjectFiles, { folder, manifest, scripts }: NodePackage): boolean {
  if (scripts["build"] === undefined) return false;
  const entries = JSON.stringify([manifest["main"], manifest["module"], manifest["exports"], manifest["types"]]);
  const places = [...entries.matchAll(/"(?:\.\/)?([^"*]+\.(?:[cm]?js|d\.[cm]?ts))"/g)].map((match) =>
    joined(folder, match[1] ?? ""),
  );
  return places.some((place) => !has(files, place));
}

/** Returns the packages of the workspace that a package depends on, followed by the package itself. */
export function closure(
  packages: readonly NodePackage[],
  member: NodePackage,
  seen = new Set<NodePackage>(),
): NodePackage[] {
  if (seen.has(member)) return [];
  seen.add(member);
  const direct = packages.filter((other) => other !== member && Object.hasOwn(member.dependencies, other.name));
  return [...direct.flatMap((each) => closure(packages, each, seen)), member];
}

/** A program of a workspace's package: its name, and its file relative to the workspace's root. */
interface Program {
  name: string;
  file: string;
}

/** Returns the programs of a workspace's packages whose files exist; an install links no others. */
export function programsOf(files: ProjectFiles, root: NodePackage, members: readonly NodePackage[]): Program[] {
  return members.flatMap(({ folder, name, manifest }) => {
    const { bin } = manifest;
    const named = typeof bin === "string" ? { [name.split("/").at(-1)!]: bin } : textsOf(bin);
    const inRoot = root.folder === "" ? folder : folder.slice(root.folder.length + 1);
    return Object.entries(named)
      .filter(([, file]) => has(files, joined(folder, file)))
      .map(([command, file]) => ({ name: command, file: joined(inRoot, file) }));
  });
}

/**
 * Makes programs that scripts start executable again: the sources, which are laid over the install, have git's modes.
 */
export function madeExecutable(programs: readonly Program[], packages: readonly NodePackage[]): string[] {
  const words = new Set(
    packages.flatMap(({ scripts }) => Object.values(scripts)).flatMap((text) => text.split(/[\s;&|"']+/)),
  );
  const started = programs.filter(({ name }) => words.has(name));
  return started.length === 0 ? [] : [`chmod +x ${started.map(({ file }) => shellWord(file)).join(" ")}`];
}

/** Returns packages that are archives in the repository, which an install reads. */
export function archives(packages: readonly NodePackage[]): string[] {
  return packages.flatMap(({ dependencies }) =>
    Object.values(dependencies).flatMap(
      (version) => /^(?:file|link):(?:\.\/)?((?!\.\.)[^/].*\.t(?:ar\.)?gz)$/.exec(version)?.[1] ?? [],
    ),
  );
}
