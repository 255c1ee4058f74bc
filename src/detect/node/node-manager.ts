import * as semver from "./node-version.ts";
import { has, joined, jsonObject, textsOf, workflowsOf } from "../files.ts";
import type { NodeManager } from "./node-scripts.ts";
import type { ProjectFiles } from "../types.ts";

/** How the packages of a folder are installed, with or without a lock file. */
export interface NodeInstall {
  manager: NodeManager;
  /** File from which the manager was detected. */
  because: string;
  /** Commands that install the manager, if the image has another version or none. */
  prepare: string[];
  /** Installs what the lock file lists. With `scripts` false, no package runs an install script. */
  install(scripts: boolean): string[];
  /** Files that an install reads besides the manifests. */
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

/** Returns the package manager that the repository pins: by `packageManager`, or by the lock file and its version. */
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
  // After an install without scripts, the packages that need theirs are rebuilt, each by name.
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

/** Bun is installed from npm's registry; npm runs the scripts and finds it. */
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

/** Returns the pnpm version that the repository's workflows set up. */
function pnpmOfCi(files: ProjectFiles): string | undefined {
  const steps = workflowsOf(files).flatMap((text) => [
    ...text.matchAll(
      /\bpnpm\/action-setup@[^\n]{0,300}\n(?:[ \t]+(?=[^ \t\n])(?!- |version:|[^\n]*\bpnpm\/action-setup@)[^\n]*\n)*[ \t]+version:[ \t]*["']?(\d[\w.-]*)/g,
    ),
  ]);
  return steps[0]?.[1];
}

/** Returns the newest pnpm that reads this lock file format; since pnpm 11 a patch entry is only its hash. */
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
    // Settings that the lock file is checked against: overrides, patches, catalogs, also without a workspace.
    reads: ["pnpm-workspace.yaml", ".pnpmfile.cjs", "patches/**"],
    // Keeps pnpm from fetching the version in packageManager from whatever registry is configured.
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
  // Yarn's releases are also in npm's registry. A committed release is used by whichever yarn is started.
  const get = `npm install --global ${own === undefined ? `@yarnpkg/cli-dist@${version ?? "4"}` : "yarn@1.22.22"}`;
  return {
    manager: "yarn",
    prepare: [get],
    install: (scripts) => [
      `yarn install${locked ? " --immutable" : ""}${scripts ? "" : " --mode=skip-build"}`,
      ...(scripts ? [] : ["npm rebuild"]),
    ],
    reads: [".yarnrc.yml", ".yarn/releases/**", ".yarn/plugins/**", ".yarn/patches/**"],
    // Yarn's own loader, which replaces node_modules, cannot be combined with mounted sources.
    env: { YARN_NODE_LINKER: "node-modules", YARN_ENABLE_TELEMETRY: "0", YARN_ENABLE_GLOBAL_CACHE: "true" },
  };
}

/** Returns all dependencies by name: `dependencies` and the dev, optional and peer ones. */
export function dependenciesOf(manifest: Record<string, unknown>): Record<string, string> {
  return {
    ...textsOf(manifest["peerDependencies"]),
    ...textsOf(manifest["optionalDependencies"]),
    ...textsOf(manifest["dependencies"]),
    ...textsOf(manifest["devDependencies"]),
  };
}
