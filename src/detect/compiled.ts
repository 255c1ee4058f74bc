/** Go and Rust: modules and crates, alone or in a workspace. */
import { folderOf, has, isPart, joined, named, suiteName } from "./files.ts";
import { inputsOf } from "./inputs.ts";
import type { DetectedSuite, Detection, ProjectFiles } from "./types.ts";

export function detectGo(files: ProjectFiles): Detection {
  const modules = named(files, "go.mod").map(folderOf).filter(isPart);
  const workspace = has(files, "go.work");
  const names = new Map(
    modules.map((folder) => [/^module\s+(\S+)/m.exec(files.read(joined(folder, "go.mod")))?.[1] ?? folder, folder]),
  );
  const notes: string[] = [];
  const suites = modules.flatMap((folder) => {
    if (!files.list.some((file) => (folder === "" || file.startsWith(`${folder}/`)) && file.endsWith(".go"))) return [];
    const requires = [...files.read(joined(folder, "go.mod")).matchAll(/^\s*(?:require\s+)?([^\s/]+\/\S+)\s+v/gm)]
      .flatMap((match) => names.get(match[1]!) ?? [])
      .filter((other) => other !== folder);
    return [goSuite(files, folder, workspace, requires, modules)];
  });
  return { suites, packages: [], notes };
}

function goSuite(
  files: ProjectFiles,
  folder: string,
  workspace: boolean,
  requires: readonly string[],
  modules: readonly string[],
): DetectedSuite {
  // A module that another one replaces by a folder can't be tested without that folder.
  const local =
    workspace || /^\s*(?:replace\s+)?\S+(?:\s+v\S+)?\s+=>\s+\.{1,2}\//m.test(files.read(joined(folder, "go.mod")));
  const inModule = (command: string): string => (local && folder !== "" ? `(cd ${folder} && ${command})` : command);
  const download = (command: string): string[] => [
    `GOMODCACHE=/var/cache/go-mod ${command}`,
    `GOPROXY=file:///var/cache/go-mod/cache/download GONOSUMDB='*' GONOSUMCHECK=1 GOFLAGS=-mod=mod ${command}`,
  ];
  return {
    name: folder === "" ? "app" : suiteName(folder.split("/").at(-1)!),
    folder,
    preset: "go",
    because: joined(folder, "go.mod"),
    alone: folder !== "" && !local,
    manifests: local ? ["go.work", "go.work.sum", "**/go.mod", "**/go.sum"] : undefined,
    install: local ? download(inModule("go mod download")).slice(0, 1) : undefined,
    env: local ? { GOMODCACHE: "/var/cache/go-mod" } : undefined,
    runner: "go",
    tiers: {
      smoke: [inModule("go vet ./...")],
      fast: [inModule("go test -short ${TEST_ARGS:-./...}")],
      full: [inModule("go test ${TEST_ARGS:-./...}")],
    },
    needs: local ? requires.map((other) => (other === "" ? "app" : suiteName(other.split("/").at(-1)!))) : [],
    inputs: inputsOf(files, {
      own: folder,
      needed: local ? requires.filter((other) => other !== "") : [],
      others: modules.filter((other) => other !== ""),
    }),
  };
}

export function detectRust(files: ProjectFiles): Detection {
  const crates = named(files, "Cargo.toml").map(folderOf).filter(isPart);
  const roots = crates.filter(
    (folder) =>
      !crates.some(
        (other) =>
          other !== folder &&
          (other === "" || folder.startsWith(`${other}/`)) &&
          /^\[workspace\]/m.test(files.read(joined(other, "Cargo.toml"))),
      ),
  );
  const suites = roots.map((folder): DetectedSuite => {
    const pinned =
      /^\s*channel\s*=\s*["']([^"']+)/m.exec(files.read(joined(folder, "rust-toolchain.toml")))?.[1] ??
      files.read(joined(folder, "rust-toolchain")).trim();
    const version = /^\d+\.\d+(?:\.\d+)?$/.test(pinned) ? pinned : undefined;
    // A crate that is made of one beside it can't be tested without that folder.
    const isLocal = folder !== "" && /\bpath\s*=\s*["']\.\.\//.test(files.read(joined(folder, "Cargo.toml")));
    const inCrate = (command: string): string[] => [isLocal ? `(cd ${folder} && ${command})` : command];
    return {
      name: folder === "" ? "app" : suiteName(folder.split("/").at(-1)!),
      folder,
      preset: "cargo",
      because: joined(folder, "Cargo.toml"),
      alone: folder !== "" && !isLocal,
      manifests: isLocal ? [] : undefined,
      install: isLocal ? [] : undefined,
      image: version === undefined ? undefined : `rust:${version}-bookworm`,
      runner: "cargo",
      tiers: {
        smoke: inCrate("cargo check --workspace --tests"),
        fast: inCrate("cargo test --workspace $TEST_ARGS"),
      },
      needs: [],
      inputs: folder === "" ? inputsOf(files, { own: "", needed: [], others: [] }) : undefined,
    };
  });
  return { suites, packages: [], notes: [] };
}
