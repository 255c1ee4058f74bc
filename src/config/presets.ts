import type { PresetName, SuiteConfig, TierName } from "./types.ts";

/** What a package manager needs in a container; keys of the suite override these. */
export interface Preset {
  image: string;
  manifests: string[];
  install: string[];
  installed: string[];
  caches: Record<string, string>;
  env: Record<string, string>;
}

const nodeImage = "node:22-bookworm-slim";
const pythonImage = "python:3.11-slim-bookworm";
const venv = "/opt/venv";
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Replaces each package by an empty crate, so that dependencies compile without the sources. */
const cargoSkeleton = `for manifest in $(find . -name Cargo.toml); do
  folder=$(dirname "$manifest"); mkdir -p "$folder/src"; echo 'fn main() {}' > "$folder/src/main.rs"; touch "$folder/src/lib.rs"
  for file in $(sed -nE 's/^ *(path|build) *= *"([^"]*\\.rs)".*/\\2/p' "$manifest"); do mkdir -p "$(dirname "$folder/$file")"; echo 'fn main() {}' > "$folder/$file"; done
  sed -nE '/^ *\\[\\[(bin|bench|test|example)\\]\\]/{s/.*\\[\\[(.*)\\]\\].*/\\1/;h;d};/^ *\\[[^[]/{s/.*//;h;d};s/^ *name *= *"([^"]+)".*/\\1/;t n;d;:n;G;s/\\n/ /p' "$manifest" | while read -r name kind; do
    case $kind in bin) at=src/bin;; bench) at=benches;; test) at=tests;; example) at=examples;; *) continue;; esac
    mkdir -p "$folder/$at"; [ -e "$folder/$at/$name.rs" ] || echo 'fn main() {}' > "$folder/$at/$name.rs"
  done
done`;
/** Sources may be older than the skeleton, and cargo would then take the skeleton's output for theirs. */
const cargoForget =
  "cargo tree --workspace --depth 0 --prefix none | cut -d' ' -f1 | sort -u | grep . | xargs -n1 cargo clean -p";

const withVenv = { VIRTUAL_ENV: venv, PATH: `${venv}/bin:${systemPath}` };

export const presets: Record<PresetName, Preset> = {
  npm: {
    image: nodeImage,
    manifests: ["**/package.json", "package-lock.json", ".npmrc"],
    install: ["npm ci"],
    installed: ["node_modules"],
    caches: { npm: "/root/.npm" },
    env: {},
  },
  pnpm: {
    image: nodeImage,
    manifests: ["**/package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc"],
    install: ["npm install --global pnpm@10", "pnpm install --frozen-lockfile"],
    installed: ["node_modules"],
    caches: { npm: "/root/.npm", pnpm: "/root/.local/share/pnpm/store" },
    env: {},
  },
  yarn: {
    image: nodeImage,
    manifests: ["**/package.json", "yarn.lock", ".npmrc"],
    install: ["command -v yarn >/dev/null || npm install --global yarn@1.22.22", "yarn install --frozen-lockfile"],
    installed: ["node_modules"],
    caches: { npm: "/root/.npm", yarn: "/usr/local/share/.cache/yarn" },
    env: {},
  },
  pip: {
    image: pythonImage,
    manifests: ["requirements.txt"],
    install: [`python3 -m venv ${venv}`, `${venv}/bin/pip install --disable-pip-version-check -r requirements.txt`],
    installed: [],
    caches: { pip: "/root/.cache/pip" },
    env: withVenv,
  },
  uv: {
    image: pythonImage,
    manifests: ["pyproject.toml", "uv.lock"],
    install: [
      `python3 -m venv ${venv}`,
      `${venv}/bin/pip install --disable-pip-version-check uv`,
      "uv sync --frozen --no-install-project",
    ],
    installed: [],
    caches: { pip: "/root/.cache/pip", uv: "/root/.cache/uv" },
    env: { ...withVenv, UV_PROJECT_ENVIRONMENT: venv, UV_LINK_MODE: "copy" },
  },
  poetry: {
    image: pythonImage,
    manifests: ["pyproject.toml", "poetry.lock"],
    install: [
      `python3 -m venv ${venv}`,
      "python3 -m venv /opt/poetry",
      "/opt/poetry/bin/pip install --disable-pip-version-check poetry",
      "/opt/poetry/bin/poetry install --no-root --no-interaction",
    ],
    installed: [],
    caches: { pip: "/root/.cache/pip", poetry: "/root/.cache/pypoetry" },
    env: withVenv,
  },
  go: {
    image: "golang:1-bookworm",
    manifests: ["go.mod", "go.sum"],
    // Downloads go to a volume and from there into the layer, which holds only what go.sum names.
    install: [
      "GOMODCACHE=/var/cache/go-mod go mod download",
      "GOPROXY=file:///var/cache/go-mod/cache/download GONOSUMDB='*' go mod download",
    ],
    installed: [],
    caches: { "go-mod": "/var/cache/go-mod", "go-build": "/root/.cache/go-build" },
    env: { GOMODCACHE: "/go/pkg/mod", GOFLAGS: "-modcacherw" },
  },
  cargo: {
    image: "rust:1-bookworm",
    // The dependency layer is compiled against empty programs, so that only a change of the manifests recompiles it.
    manifests: ["Cargo.lock", "**/Cargo.toml"],
    install: [
      cargoSkeleton,
      "cargo build --workspace --tests $CARGO_FEATURES",
      cargoForget,
      "find . -name '*.rs' -delete",
      "find . -type d -empty -delete",
    ],
    installed: [],
    // The crates' sources stay in the layer, as cargo needs them for every build.
    caches: {},
    env: { CARGO_TARGET_DIR: "/opt/target", CARGO_HOME: "/usr/local/cargo" },
  },
};

/** Files that indicate a package manager, the most specific one first. */
export const presetFiles: [file: string, preset: PresetName][] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["package-lock.json", "npm"],
  ["package.json", "npm"],
  ["uv.lock", "uv"],
  ["poetry.lock", "poetry"],
  ["requirements.txt", "pip"],
  ["go.mod", "go"],
  ["Cargo.toml", "cargo"],
];

export interface ResolvedTier {
  run: string[];
  /** Patterns below cwd; if undefined, the command selects the files. */
  files?: string[];
  services: string[];
  env: Record<string, string>;
}

/** A suite combined with its preset; everything but the sources has its final value. */
export interface ResolvedSuite {
  image: string;
  /** Folder of the suite, relative to the project; undefined for the whole project. */
  root?: string;
  workdir: string;
  cwd: string;
  manifests: string[];
  install: string[];
  installed: string[];
  caches: Record<string, string>;
  sources: string[];
  env: Record<string, string>;
  services: string[];
  runner?: SuiteConfig["runner"];
  tiers: Partial<Record<TierName, ResolvedTier>>;
}

export function resolveSuite(suite: SuiteConfig): ResolvedSuite {
  const preset = suite.preset === undefined ? undefined : presets[suite.preset];
  const workdir = suite.workdir ?? "/app";
  return {
    image: suite.image ?? preset?.image ?? "debian:bookworm-slim",
    root: suite.root?.replace(/\/$/, ""),
    workdir,
    cwd: suite.cwd === undefined ? workdir : `${workdir}/${suite.cwd.replace(/\/$/, "")}`,
    manifests: suite.manifests ?? preset?.manifests ?? [],
    install: list(suite.install) ?? preset?.install ?? [],
    installed: suite.installed ?? preset?.installed ?? [],
    caches: { ...preset?.caches, ...suite.caches },
    sources: suite.sources ?? ["./"],
    env: { ...preset?.env, ...suite.env },
    services: suite.services ?? [],
    runner: suite.runner,
    tiers: Object.fromEntries(
      Object.entries(suite.tiers).map(([tier, command]) => [
        tier,
        typeof command === "string"
          ? { run: [command], services: [], env: {} }
          : {
              run: list(command.run) ?? [],
              files: command.files,
              services: command.services ?? [],
              env: command.env ?? {},
            },
      ]),
    ),
  };
}

const list = (value: string | string[] | undefined): string[] | undefined =>
  typeof value === "string" ? [value] : value;
