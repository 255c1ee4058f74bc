/** Detects npm, pnpm and yarn packages, alone or in a workspace. */
import { below, has, isJsonObject, joined, suiteName, textsOf, withoutCircles, workflowsOf } from "../files.ts";
import { shellWord } from "../../text/index.ts";
import { inputsOf } from "../inputs.ts";
import { installOf } from "./node-install.ts";
import type { NodeInstall } from "./node-manager.ts";
import {
  browserOf,
  hasLifecycle,
  isDelegating,
  lifecycleScripts,
  nodeRunner,
  formattersIn,
  nodeTiers,
  watchingTest,
  wholeText,
} from "./node-scripts.ts";
import { chooseNode, newestNodeIn, nodeImage, pinnedNode, unmetNode, type WantedNode } from "./node-version.ts";
import {
  archives,
  builds,
  closure,
  madeExecutable,
  programsOf,
  workspacesOf,
  type NodePackage,
  type Workspace,
} from "./node-workspace.ts";
import { reachOf } from "./node-reach.ts";
import { gitOf, programsOfTests } from "../programs.ts";
import type { DetectedSuite, Detection, ProjectFiles } from "../types.ts";

export function detectNode(files: ProjectFiles, availableNodes: readonly number[] = []): Detection {
  const workspaces = workspacesOf(files);
  const found = workspaces.map((workspace) => suitesOf(files, workspace, availableNodes));
  return {
    suites: found.flatMap(({ suites }) => suites),
    packages: found.flatMap(({ packages }) => packages),
    notes: found.flatMap(({ notes }) => notes),
  };
}

function suitesOf(files: ProjectFiles, workspace: Workspace, availableNodes: readonly number[]): Detection {
  const { root, members } = workspace;
  const packages = [root, ...members];
  const install = installOf(files, packages);
  const alone =
    root.folder !== "" &&
    packages.every(
      ({ dependencies }) => !Object.values(dependencies).some((version) => /^(?:file|link|portal):\.\./.test(version)),
    );
  const tested = testedPackages(workspace);
  const notes = [...install.notes];
  for (const { folder, scripts } of packages) {
    const browser = browserOf(
      Object.entries(scripts)
        .flatMap(([name, text]) => (/test|e2e/.test(name) ? [text] : []))
        .join("\n"),
    );
    if (browser !== undefined)
      notes.push(
        `${joined(folder, "package.json")}: tests with ${browser} are left out; they need an image with a browser`,
      );
  }
  for (const { folder, scripts } of tested)
    for (const name of formattersIn(scripts, "test"))
      notes.push(`${joined(folder, "package.json")}: \`${name}\` rewrites sources and is left out of the tests`);
  const unmet = tested.map((member) => unmetNode(wantedNode(files, root, member), availableNodes));
  for (const note of new Set(unmet))
    if (note !== undefined) notes.push(`${joined(root.folder, "package.json")}: ${note}`);
  const suites = tested.flatMap((member) => {
    const tiers = nodeTiers(member.scripts, install.manager);
    if (handsOverNothing(workspace, member)) delete tiers.fast;
    return Object.keys(tiers).length === 0
      ? []
      : [suiteOf(files, workspace, member, install, alone, tiers, availableNodes)];
  });
  if (suites.length === 0 && (root.folder === "" || has(files, joined(root.folder, install.because)))) {
    notes.push(whyNone(files, root));
  }
  // Notes about the install are irrelevant if nothing is run.
  if (suites.length === 0) notes.splice(0, install.notes.length);
  const names = new Map(tested.map((member, index) => [member.name, suites[index]?.name]));
  for (const [index, member] of tested.entries()) {
    const suite = suites[index];
    if (suite !== undefined)
      suite.needs = Object.keys(member.dependencies)
        .flatMap((name) => names.get(name) ?? [])
        .filter((name) => name !== suite.name);
  }
  return { suites: withoutCircles(suites), packages: systemPackages(files, packages), notes };
}

function whyNone(files: ProjectFiles, { folder, scripts }: NodePackage): string {
  const file = joined(folder, "package.json");
  if (!isJsonObject(files.read(file))) return `${file} is not valid JSON`;
  const watching = watchingTest(scripts);
  return watching === undefined
    ? `${file} has no script that tests or checks anything`
    : `${file}: \`${watching}\` watches and does not end by itself; a script that runs the tests once is what fastloop needs, e.g. \`test:ci\``;
}

/** Returns the packages whose scripts are run: the root if it tests for all, else each package with tests. */
function testedPackages({ root, members }: Workspace): NodePackage[] {
  const tests = (each: NodePackage): boolean => nodeTiers(each.scripts, "npm").fast !== undefined;
  if (members.length === 0) return [root];
  const rootTests =
    tests(root) &&
    !["test", "test:ci", "test:run", "test:unit"].some(
      (name) => root.scripts[name] !== undefined && isDelegating(root.scripts, name),
    );
  const testing = members.filter((member) => Object.keys(nodeTiers(member.scripts, "npm")).length > 0 && tests(member));
  return rootTests || testing.length === 0 ? [root] : testing;
}

/** Reports whether the root's test only starts those of its packages, and all of those are left out. */
const handsOverNothing = ({ root, members }: Workspace, member: NodePackage): boolean =>
  member === root &&
  members.length > 0 &&
  isDelegating(root.scripts, "test") &&
  members.some(({ scripts }) => browserOf(scripts["test"] ?? "") !== undefined) &&
  members.every(({ scripts }) => nodeTiers(scripts, "npm").fast === undefined);

/**
 * In a workspace of a hundred packages, listing the folders of all in every suite would take ten thousand lines, and as
 * many mounts.
 */
const packagesInEverySuite = 20;

/**
 * Returns the packages whose dependency folders a suite gets: all of them, or in a large workspace those that the
 * package depends on.
 */
function installedFor(
  files: ProjectFiles,
  packages: readonly NodePackage[],
  root: NodePackage,
  member: NodePackage,
): readonly NodePackage[] {
  // The root's own scripts may use every package.
  const needsAll = member === root || lifecycleScripts(root.scripts).length > 0;
  if (needsAll || packages.length <= packagesInEverySuite) return packages;
  const needed = new Set([...closure(packages, root), ...reachOf(files, packages, member)]);
  return packages.filter((each) => needed.has(each));
}

function suiteOf(
  files: ProjectFiles,
  { root, members }: Workspace,
  member: NodePackage,
  install: NodeInstall,
  alone: boolean,
  tiers: DetectedSuite["tiers"],
  availableNodes: readonly number[],
): DetectedSuite {
  // Paths of a standalone suite are relative to its own folder.
  const base = alone ? root.folder : "";
  const inBase = (file: string): string => (file === base ? "" : base === "" ? file : file.slice(base.length + 1));
  const cwd = root.folder === base ? "" : root.folder;
  const packages = [root, ...members];
  const textOf = (...names: ("fast" | "full")[]): string =>
    names
      .flatMap((tier) => tiers[tier] ?? [])
      .map((command) => wholeText(member.scripts, command.split(" ").at(-1) ?? ""))
      .join("\n");
  const scripts = !packages.some((each) => hasLifecycle(each.scripts));
  const inFolder = (folder: string, commands: string[]): string[] =>
    folder === "" ? commands : commands.map((command) => `(cd ${shellWord(folder)} && ${command})`);
  const memberFolder = inBase(member.folder);
  const programs = programsOf(files, root, members);
  const first = [
    ...inFolder(cwd, madeExecutable(programs, packages)),
    ...lifecycleScripts(root.scripts).flatMap((name) => inFolder(cwd, [`${install.manager} run ${name}`])),
    ...builds(files, packages, member, textOf("fast")).flatMap(({ folder }) =>
      inFolder(inBase(folder), [`${install.manager} run build`]),
    ),
  ];
  const { major, prepare } = chooseNode(wantedNode(files, root, member), availableNodes);
  const manifests = [
    ...(members.length > 0 ? ["**/package.json"] : ["package.json"]),
    ...(install.because === "package.json" ? [] : [install.because]),
    ".npmrc",
    ...install.reads,
    ...archives(packages),
    ...programs.map(({ file }) => file),
  ];
  return {
    name: member.folder === "" ? "app" : suiteName(nameIn(packages, member)),
    folder: member.folder,
    preset: install.manager,
    because: joined(root.folder, install.because),
    alone,
    ...(alone ? { root: root.folder } : {}),
    image: major === undefined || major === 22 ? undefined : nodeImage(major),
    manifests: manifests.map((file) => joined(cwd, file)),
    install: [
      ...prepare,
      ...install.prepare,
      ...inFolder(cwd, [...forgetFastloop(files, root), ...install.install(scripts)]),
    ],
    installed: installedFor(files, packages, root, member).map(({ folder }) => inBase(joined(folder, "node_modules"))),
    env: { CI: "true", ...install.env },
    runner: nodeRunner(textOf("fast", "full")),
    tiers: Object.fromEntries(
      Object.entries(tiers).flatMap(([tier, commands]) => {
        const own = inFolder(memberFolder, commands).filter((command) => !first.includes(command));
        // A tier that consists only of the common first commands adds nothing.
        return own.length === 0 && Object.keys(tiers).length > 1 ? [] : [[tier, [...first, ...own]]];
      }),
    ),
    needs: [],
    inputs:
      members.length === 0 && root.folder === ""
        ? inputsOf(files, { own: "", needed: [], others: [] })
        : memberInputs(files, alone ? root.folder : "", packages, member),
  };
}

/**
 * Removes fastloop and its engine if they were installed from archives outside the repository, which no container sees;
 * the tests do not need them.
 */
function forgetFastloop(files: ProjectFiles, { folder, dependencies }: NodePackage): string[] {
  const outside = Object.entries(dependencies).filter(([name, from]) => {
    const place = /^(?:fastloop$|@fastloop\/[a-z0-9-]+$)/.test(name) ? /^file:(.*)$/.exec(from)?.[1] : undefined;
    if (place === undefined) return false;
    return place.startsWith("..") || place.startsWith("/") || !has(files, joined(folder, place));
  });
  if (outside.length === 0) return [];
  return [
    `npm pkg delete ${outside.map(([name]) => `dependencies.${name} devDependencies.${name}`).join(" ")}`,
    "npm install --package-lock-only --no-audit --no-fund --ignore-scripts",
  ];
}

const nameIn = (packages: readonly NodePackage[], { folder }: NodePackage): string => {
  const last = (place: string): string => place.split("/").at(-1) ?? place;
  return packages.filter((other) => last(other.folder) === last(folder)).length > 1
    ? folder.replaceAll("/", "-")
    : last(folder);
};

function wantedNode(files: ProjectFiles, root: NodePackage, member: NodePackage): WantedNode {
  return {
    pinned: pinnedNode(files, root.folder, root.manifest),
    engines: textsOf(root.manifest["engines"])["node"] ?? textsOf(member.manifest["engines"])["node"] ?? "",
    newestInCi: newestNodeIn(workflowsOf(files)),
  };
}

/** `base` is the folder of a standalone workspace; nothing outside of it affects a member. */
function memberInputs(
  files: ProjectFiles,
  base: string,
  packages: readonly NodePackage[],
  member: NodePackage,
): string[] | undefined {
  const inBase = (folder: string): string =>
    base === "" ? folder : folder === base ? "" : folder.slice(base.length + 1);
  const foldersOf = (some: readonly NodePackage[]): string[] =>
    some.map(({ folder }) => inBase(folder)).filter((folder) => folder !== "");
  const inputs = inputsOf(
    { list: below(files, base), read: (file) => files.read(joined(base, file)) },
    {
      own: inBase(member.folder),
      needed: foldersOf(reachOf(files, packages, member)).filter((folder) => folder !== inBase(member.folder)),
      // The root's scripts may test any package.
      others: inBase(member.folder) === "" ? [] : foldersOf(packages),
    },
  );
  if (base === "") return inputs;
  return inputs?.map((entry) =>
    entry === "**" ? `${base}/` : entry.startsWith("!") ? `!${base}/${entry.slice(1)}` : `${base}/${entry}`,
  );
}

/** Returns the system packages that the tests start and a slim image lacks. */
function systemPackages(files: ProjectFiles, packages: readonly NodePackage[]): string[] {
  const native = packages.some(({ dependencies }) =>
    ["node-gyp", "node-addon-api", "nan"].some((name) => name in dependencies),
  );
  return [
    ...new Set(packages.flatMap(({ folder }) => [...programsOfTests(files, folder), ...gitOf(files, folder)])),
    ...(native ? ["g++", "make", "python3"] : []),
  ];
}
