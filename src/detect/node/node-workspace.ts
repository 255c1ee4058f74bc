/** Which packages of npm, pnpm and yarn belong together, and which of them has to be built for another's tests. */
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

/** The packages of a project, each with its workspace. */
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

/** What package.json and pnpm-workspace.yaml say; an entry that is no text means nothing to the managers either. */
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

/** Packages to build first: those that tests import as they are built, and the package itself where its tests do. */
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

/** Whether a job of the repository's own CI builds it before it tests it: what its tests read may be what was built. */
function isBuiltBeforeTests(files: ProjectFiles): boolean {
  const place = (job: string, script: string): number =>
    job.search(new RegExp(`\\b(?:npm run|pnpm(?: run)?|yarn(?: run)?|bun run|npm) ${script}(?=[\\s'"]|$)`, "m"));
  return commandsOfJobs(files).some((job) => {
    const [build, test] = [place(job, "build"), place(job, "test")];
    return build !== -1 && build < test;
  });
}

/** Whether a package is imported as its build leaves it, which no checkout has. */
function isBuilt(files: ProjectFiles, { folder, manifest, scripts }: NodePackage): boolean {
  if (scripts["build"] === undefined) return false;
  const entries = JSON.stringify([manifest["main"], manifest["module"], manifest["exports"], manifest["types"]]);
  const places = [...entries.matchAll(/"(?:\.\/)?([^"*]+\.(?:[cm]?js|d\.[cm]?ts))"/g)].map((match) =>
    joined(folder, match[1] ?? ""),
  );
  return places.some((place) => !has(files, place));
}

/** The packages of the workspace that a package is made of, itself last. */
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

/** The programs of a workspace's packages whose files are there: an install links no others. */
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

/** Makes those that scripts start executable, as the install has: the sources are laid over it with git's modes. */
export function madeExecutable(programs: readonly Program[], packages: readonly NodePackage[]): string[] {
  const words = new Set(
    packages.flatMap(({ scripts }) => Object.values(scripts)).flatMap((text) => text.split(/[\s;&|"']+/)),
  );
  const started = programs.filter(({ name }) => words.has(name));
  return started.length === 0 ? [] : [`chmod +x ${started.map(({ file }) => shellWord(file)).join(" ")}`];
}

/** Packages that are archives or folders in the repository: an install reads them. */
export function archives(packages: readonly NodePackage[]): string[] {
  return packages.flatMap(({ dependencies }) =>
    Object.values(dependencies).flatMap(
      (version) => /^(?:file|link):(?:\.\/)?((?!\.\.)[^/].*\.t(?:ar\.)?gz)$/.exec(version)?.[1] ?? [],
    ),
  );
}
