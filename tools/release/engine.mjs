#!/usr/bin/env node
// `npm run release:engine`: the npm package of the engine for this machine's architecture, ready for `npm publish`. It holds
// what set-up builds or installs otherwise: buildkitd, runc, CNI plugins, the exec helper and the boundary's helper.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { SetupError } from "../setup/errors.mjs";
import { buildkitVersion, goBuild, goBuildkit, findGo, goModules } from "../setup/engine.mjs";
import { findProgram, run } from "../setup/run.mjs";
import { nativeArch } from "../setup/arch.mjs";
import { root } from "../setup/checkout.mjs";
import { repositoryFields } from "./repository.mjs";

const help = `Usage: npm run release:engine -- [--out FOLDER]

Builds @fastloop/engine-linux-ARCH for this machine's architecture and packs it: FOLDER/NAME-VERSION.tgz.
Needs Linux, Go, a C compiler and libseccomp with its static library (Debian: gcc pkg-config libseccomp-dev).

  --out FOLDER   where the package goes (default: release)
  -h, --help     show help`;

const tools = path.join(root, "tools");
const npmArch = { amd64: "x64", arm64: "arm64" }[nativeArch];
const plugins = ["main/bridge", "main/loopback", "ipam/host-local", "meta/firewall"];
const detail = (line) => process.stdout.write(`    ${line}\n`);

try {
  const { values } = parseArgs({ options: { out: { type: "string" }, help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else await release(path.resolve(values.out ?? path.join(root, "release")));
} catch (error) {
  const told = error instanceof SetupError || error.code?.startsWith("ERR_PARSE_ARGS");
  if (!told) throw error;
  process.stderr.write(`${error instanceof SetupError ? error.format() : error.message}\n`);
  process.exitCode = 1;
}

async function release(out) {
  if (process.platform !== "linux" || npmArch === undefined) {
    throw new SetupError(`there is no engine for ${process.platform} ${process.arch}`, {
      next: "run this on Linux, x64 or arm64",
    });
  }
  const { version, license, engines } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const name = `@fastloop/engine-linux-${npmArch}`;
  const folder = path.join(out, `engine-linux-${npmArch}`);
  rmSync(folder, { recursive: true, force: true });
  if (spawnSync("pkg-config", ["--exists", "libseccomp"]).status !== 0)
    throw new SetupError("libseccomp's headers are not here, and runc is built with them", {
      next: "apt-get install gcc pkg-config libseccomp-dev",
    });
  const go = await findGo(await import(path.join(root, "dist", "setup-support.js")), detail);
  await programs(go, folder);
  writeFileSync(
    path.join(folder, "package.json"),
    `${JSON.stringify(
      {
        name,
        version,
        description: `The programs of fastloop's embedded engine for Linux ${npmArch}: BuildKit ${buildkitVersion()}, runc, CNI plugins.`,
        license,
        ...repositoryFields(),
        engines,
        os: ["linux"],
        cpu: [npmArch],
        preferUnplugged: true,
      },
      undefined,
      2,
    )}\n`,
  );
  writeFileSync(
    path.join(folder, "README.md"),
    `# ${name}\n\nThe embedded engine of fastloop. npm installs it with \`fastloop\`; nothing else uses it.\n`,
  );
  await licences(go, path.join(folder, "licences.txt"));
  await run(findProgram("npm"), ["pack", "--pack-destination", out], {
    cwd: folder,
    onLine: detail,
    next: "see above",
  });
  console.log(path.join(out, `fastloop-engine-linux-${npmArch}-${version}.tgz`));
}

async function programs(go, folder) {
  mkdirSync(path.join(folder, "bin"), { recursive: true });
  mkdirSync(path.join(folder, "cni"));
  await goBuildkit(go, buildkitVersion(), path.join(folder, "bin", "buildkitd"), "buildkitd", detail);
  const own = { cwd: path.join(tools, "engine-package") };
  const runc = ["-trimpath", "-tags", "netgo osusergo seccomp", "-ldflags", "-s -w -extldflags -static"];
  await goBuild(
    go,
    [...runc, "-o", path.join(folder, "bin", "runc"), "github.com/opencontainers/runc"],
    { ...own, env: { CGO_ENABLED: "1" } },
    detail,
  );
  for (const plugin of plugins) {
    const output = path.join(folder, "cni", path.basename(plugin));
    const source = `github.com/containernetworking/plugins/plugins/${plugin}`;
    await goBuild(go, ["-trimpath", "-ldflags", "-s -w", "-o", output, source], own, detail);
  }
  for (const arch of ["amd64", "arm64"]) await helper(go, "shim", arch, path.join(folder, "shim", arch, "shim"));
  await helper(go, "confine", nativeArch, path.join(folder, "confine", nativeArch, "confine"));
}

function helper(go, name, arch, output) {
  const args = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", output, "."];
  return goBuild(go, args, { cwd: path.join(tools, name), env: { GOOS: "linux", GOARCH: arch } }, detail);
}

/** The licence texts of every Go module of which something is linked. */
async function licences(go, file) {
  const folders = await Promise.all([
    goModules(go, tools, ["./buildkitd"]),
    goModules(go, path.join(tools, "engine-package"), [
      "github.com/opencontainers/runc",
      ...plugins.map((plugin) => `github.com/containernetworking/plugins/plugins/${plugin}`),
    ]),
    goModules(go, path.join(tools, "confine"), ["."]),
    goModules(go, path.join(tools, "shim"), ["."]),
  ]);
  const modules = new Map(folders.flat().map((module) => [`${module.path} ${module.version}`, module.folder]));
  const sections = [...modules.keys()].sort().map((title) => {
    const folder = modules.get(title);
    const names = readdirSync(folder).filter((entry) => /^(licen[cs]e|notice|copying)(\.|-|$)/i.test(entry));
    return [title, ...names.sort().map((entry) => readFileSync(path.join(folder, entry), "utf8").trim())].join("\n\n");
  });
  sections.push(seccompNotice());
  writeFileSync(
    file,
    `The programs in this package contain these modules.\n\n${sections.join(`\n\n${"-".repeat(80)}\n\n`)}\n`,
  );
}

function seccompNotice() {
  const notice = "/usr/share/doc/libseccomp-dev/copyright";
  const text = existsSync(notice) ? readFileSync(notice, "utf8").trim() : "LGPL-2.1-only";
  return `libseccomp, linked into runc; its source is at https://github.com/seccomp/libseccomp\n\n${text}`;
}
