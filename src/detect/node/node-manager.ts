import * as semver from "./node-version.ts";
import { has, joined, jsonObject, textsOf, workflowsOf } from "../files.ts";
import type { NodeManager } from "./node-scripts.ts";
import type { ProjectFiles } from "../types.ts";

/** How the packages of a folder with a lock file (or without one) are installed. */
export interface NodeInstall {
  manager: NodeManager;
  /** The file that told it. */
  because: string;
  /** Commands that get the manager, where the image has another one or none. */
  prepare: string[];
  /** Installs what the lock file says; `scripts` false: without running any script of any package. */
  install(scripts: boolean): string[];
  /** Files beside the manifests that an install reads. */
  reads: string[];
  env: Record<string, string>;
  notes: string[];
}

const locks: [file: string, manager: NodeManager][] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

/** The package manager of a folder as the repository pins it: `packageManager`, the lock file and its version. */
export function nodeInstall(files: ProjectFiles, folder: string): NodeInstall {
  const read = (file: string): string => files.read(joined(folder, file));
  const manifest = jsonObject(read("package.json"));
  const pinned = /^(npm|pnpm|yarn)@(\d[\w.-]*)/.exec(textsOf(manifest)["packageManager"] ?? "");
  const lock =
    locks.find(([file, manager]) => has(files, joined(folder, file)) && (pinned === null || pinned[1] === manager)) ??
    locks.find(([file]) => has(files, joined(folder, file)));
  const manager =
    lock?.[1] ??
    (pinned?.[1] as NodeManager | undefined) ??
    (has(files, joined(folder, "pnpm-workspace.yaml")) ? "pnpm" : "npm");
  const because = lock?.[0] ?? "package.json";
  const bun =
    lock === undefined ? ["bun.lock", "bun.lockb"].find((file) => has(files, joined(folder, file))) : undefined;
  if (bun !== undefined) return { ...withBun(manifest), because: bun, notes: [] };
  const notes =
    lock === undefined
      ? [
          `${joined(folder, "package.json")} has no lock file beside it: each install takes the newest versions that fit; commit one`,
        ]
      : [];
  const version = pinned?.[1] === manager ? pinned[2] : undefined;
  if (manager === "pnpm")
    return { ...pnpm(version ?? pnpmOfCi(files), read("pnpm-lock.yaml"), lock !== undefined), because, notes };
  if (manager === "yarn") return { ...yarn(version, read, lock !== undefined), because, notes };
  return { ...npm(version, lock !== undefined, read(because)), because, notes };
}

type Manager = Omit<NodeInstall, "because" | "notes">;

function npm(version: string | undefined, locked: boolean, lock: string): Manager {
  const flags = " --no-audit --no-fund";
  // Scripts of packages that need one run after an install without scripts, each by its name.
  const scripted = Object.entries(
    (jsonObject(lock)["packages"] ?? {}) as Record<string, { hasInstallScript?: boolean; link?: boolean } | undefined>,
  )
    .filter(
      ([place, entry]) =>
        /(?:^|\/)node_modules\//.test(place) && entry?.hasInstallScript === true && entry.link !== true,
    )
    .map(([place]) => place.replace(/^.*node_modules\//, ""));
  const rebuild = scripted.length === 0 ? [] : [`npm rebuild ${[...new Set(scripted)].toSorted().join(" ")}`];
  return {
    manager: "npm",
    prepare: version === undefined || !semver.isMajorAtLeast(version, 7) ? [] : [`npm install --global npm@${version}`],
    install: (scripts) => [
      `npm ${locked ? "ci" : "install"}${flags}${scripts ? "" : " --ignore-scripts"}`,
      ...(scripts ? [] : rebuild),
    ],
    reads: [],
    env: {},
  };
}

/** Bun comes out of npm's registry, and its scripts are run by npm, which finds it. */
function withBun(manifest: Record<string, unknown>): Manager {
  const version = /^bun@(\d[\w.-]*)/.exec(textsOf(manifest)["packageManager"] ?? "")?.[1];
  return {
    manager: "npm",
    prepare: [`npm install --global bun@${version ?? "1"}`],
    install: (scripts) => [`bun install --frozen-lockfile${scripts ? "" : " --ignore-scripts"}`],
    reads: ["bunfig.toml", "patches/**"],
    env: {},
  };
}

/** The one that the repository's workflows set up. */
function pnpmOfCi(files: ProjectFiles): string | undefined {
  const steps = workflowsOf(files).flatMap((text) => [
    ...text.matchAll(
      /\bpnpm\/action-setup@[^\n]*\n(?:[ \t]+(?!- |version:|[^\n]*\bpnpm\/action-setup@)[^ \t\n][^\n]*\n)*[ \t]+version:[ \t]*["']?(\d[\w.-]*)/g,
    ),
  ]);
  return steps[0]?.[1];
}

/** The newest pnpm that reads a lock file of this format; since 11 a patch is its hash alone there. */
function pnpmFor(lock: string): string {
  if (/^patchedDependencies:\n {2}\S+: \S/m.test(lock)) return "11";
  const format = /^lockfileVersion:\s*['"]?(\d+)/m.exec(lock)?.[1];
  return format === "5" ? "7" : format === "6" ? "8" : "10";
}

function pnpm(version: string | undefined, lock: string, locked: boolean): Manager {
  return {
    manager: "pnpm",
    prepare: [`npm install --global pnpm@${version ?? pnpmFor(lock)}`],
    install: (scripts) => [
      `pnpm install ${locked ? "--frozen-lockfile" : "--no-frozen-lockfile"} --config.strict-dep-builds=false${scripts ? "" : " --ignore-scripts"}`,
      ...(scripts ? [] : ["pnpm rebuild"]),
    ],
    reads: [".pnpmfile.cjs", "patches/**"],
    // pnpm would fetch the version that packageManager names by itself, from wherever it is told.
    env: { npm_config_manage_package_manager_versions: "false" },
  };
}

function yarn(version: string | undefined, read: (file: string) => string, locked: boolean): Manager {
  const settings = read(".yarnrc.yml");
  const berry =
    settings !== "" ||
    /^__metadata:/m.test(read("yarn.lock")) ||
    (version !== undefined && semver.isMajorAtLeast(version, 2));
  if (!berry) {
    return {
      manager: "yarn",
      prepare: ["command -v yarn >/dev/null || npm install --global yarn@1.22.22"],
      install: (scripts) => [
        `yarn install ${locked ? "--frozen-lockfile" : "--no-lockfile"} --non-interactive${scripts ? "" : " --ignore-scripts"}`,
        ...(scripts ? [] : ["npm rebuild"]),
      ],
      reads: [".yarnrc"],
      env: {},
    };
  }
  const own = /^yarnPath:\s*["']?([^"'\s]+)/m.exec(settings)?.[1];
  // Yarn's releases are on npm's registry too. One that is committed is used by whichever yarn is started.
  const get = `npm install --global ${own === undefined ? `@yarnpkg/cli-dist@${version ?? "4"}` : "yarn@1.22.22"}`;
  return {
    manager: "yarn",
    prepare: [get],
    install: (scripts) => [
      `yarn install${locked ? " --immutable" : ""}${scripts ? "" : " --mode=skip-build"}`,
      ...(scripts ? [] : ["npm rebuild"]),
    ],
    reads: [".yarnrc.yml", ".yarn/releases/**", ".yarn/plugins/**", ".yarn/patches/**"],
    // A loader of Yarn's own in place of node_modules can't be laid over mounted sources.
    env: { YARN_NODE_LINKER: "node-modules", YARN_ENABLE_TELEMETRY: "0", YARN_ENABLE_GLOBAL_CACHE: "true" },
  };
}

/** Every text of `dependencies`, `devDependencies`, `optionalDependencies` and `peerDependencies` by name. */
export function dependenciesOf(manifest: Record<string, unknown>): Record<string, string> {
  return {
    ...textsOf(manifest["peerDependencies"]),
    ...textsOf(manifest["optionalDependencies"]),
    ...textsOf(manifest["dependencies"]),
    ...textsOf(manifest["devDependencies"]),
  };
}
